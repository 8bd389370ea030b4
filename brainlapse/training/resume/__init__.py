"""What outlives an interruption: states of trainings."""
