"""Trained models at work: encoding, decoding, tiles, and how close they come."""
