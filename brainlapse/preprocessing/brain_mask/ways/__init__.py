"""Ways to a brain mask, each a file; a new one gets a line in `registry.py` and a test."""
