"""Training of autoencoders, and encoding and decoding with the trained ones."""
