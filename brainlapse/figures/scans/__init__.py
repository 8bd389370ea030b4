"""Figures of the scans: who is there, and how preprocessing went."""
