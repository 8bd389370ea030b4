"""brainlapse: from raw T1-weighted head scans to predicted brains."""
