"""What outlives an interruption: states of trainings, latents encoded before."""
