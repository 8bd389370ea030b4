"""Mixed model of change within people: random intercept and slope, one variance per element."""
