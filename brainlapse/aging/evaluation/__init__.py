"""How good forecasts are: matched comparisons, intervals, and the method that is chosen."""
