"""What raw scan files hold: checked once, hashed, compared with each other."""
