"""One NIfTI file, whatever wrote it: bytes, header, voxels; each fault ends in one sentence."""
