"""Folders of a BIDS data set: which scans and tables they hold, and whether anything changed."""
