"""Forecasts that someone asks for: a person at an age, as images and volumes with intervals."""
