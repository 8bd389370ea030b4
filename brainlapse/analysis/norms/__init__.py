"""Norms: how large a region is in controls of an age and sex, and where a scan stands in that."""
