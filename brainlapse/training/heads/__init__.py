"""Heads: linear answers to tasks, trained together with an autoencoder on labels of its people."""
