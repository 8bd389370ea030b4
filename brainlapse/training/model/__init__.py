"""The model while it trains and on disk: weights, their average, start, arithmetic."""
