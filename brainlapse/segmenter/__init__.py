"""Training of the embedded segmenter on images synthesised from label maps."""
