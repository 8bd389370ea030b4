"""From BIDS folders to one table of accepted scans: reading, validation, ages, split."""
