"""Tables of well-known data sets as the tables that BIDS folders have: no image is touched."""
