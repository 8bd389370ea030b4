"""Numbers of one scan, what they mean beside the others, and what a person decided."""
