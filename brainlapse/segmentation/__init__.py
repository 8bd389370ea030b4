"""Regional volumes of brains in MNI space: backends, label tables, volume tables."""
