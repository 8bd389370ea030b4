"""Heads of autoencoders: the labels they learn from, and how they do on people held out."""
