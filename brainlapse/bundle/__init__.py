"""A trained autoencoder in one folder or zip file, for others to encode their scans with."""
