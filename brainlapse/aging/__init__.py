"""Ageing in latent space: forecasts of later scans, interpolation, and their errors."""
