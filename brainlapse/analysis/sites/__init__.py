"""Data sets, sites and scanners: what they cannot be told from, and their steps in volumes."""
