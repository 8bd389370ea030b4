"""Forecasts that someone asks for: a person at an age, as images and volumes with intervals."""

IMAGE = "image"  # method of the volumes that were measured in the decoded pictures
