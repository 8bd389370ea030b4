"""Finding the brain in a raw head: several ways to a mask, each a file."""
