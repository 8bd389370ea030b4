"""The demo cohort: T1-weighted heads whose anatomy, ageing, pose and contrast are known."""
