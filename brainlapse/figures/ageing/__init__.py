"""Figures of the ageing stage."""
