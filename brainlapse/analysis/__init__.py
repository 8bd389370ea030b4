"""What the latent space holds: components, tasks, sites, reconstructions."""
