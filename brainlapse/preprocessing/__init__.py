"""From a raw T1-weighted head to a brain in MNI space: mask, bias, registration, intensity, QC."""
