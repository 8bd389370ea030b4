"""What tells two scans apart: hashes of their voxels and of their geometry."""

import hashlib

import numpy as np


def hash_volume(volume: np.ndarray) -> str:
    """SHA-256 of the shape and of the values as little-endian float32, first axis fastest.

    Equal for one image in two files, however they are compressed or named and whatever their
    data type.
    """
    digest = hashlib.sha256(f"{volume.shape}".encode())
    digest.update(np.asarray(volume, dtype="<f4").ravel(order="F").data)
    return digest.hexdigest()


def hash_image(sha256: str, affine: np.ndarray) -> str:
    """SHA-256 of the voxels' hash and of the affine: all that preprocessing reads of a scan."""
    digest = hashlib.sha256(sha256.encode())
    digest.update(np.asarray(affine, dtype="<f8").tobytes())
    return digest.hexdigest()
