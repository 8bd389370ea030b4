"""Neural networks: autoencoders, the patch discriminator and perceptual feature networks."""
