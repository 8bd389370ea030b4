"""Tasks: what latents tell of a column of the cohort, judged on people held out."""
