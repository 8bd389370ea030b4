"""Names in the tables of requested forecasts."""

IMAGE = "image"
"""Method of the volumes that were measured in the decoded pictures."""
