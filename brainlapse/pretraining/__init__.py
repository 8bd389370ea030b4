"""A first training of an autoencoder, on synthetic brains, for others to start from."""
