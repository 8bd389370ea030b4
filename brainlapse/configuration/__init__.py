"""Faults of a configuration that its typed models cannot see: spelling, places, agreement."""
