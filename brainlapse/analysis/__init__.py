"""What the latent space holds: principal components and prediction tasks on latent codes."""
