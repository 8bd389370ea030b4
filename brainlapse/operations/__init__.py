"""Looking after a run: is everything there that it needs, and where does each scan stand."""
