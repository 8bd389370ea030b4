"""Figures of the autoencoders, their latents and the tasks."""
