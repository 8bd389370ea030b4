"""Visits of one person brought together: aligned, one affine, mask and intensity scale for all."""
