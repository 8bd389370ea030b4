"""Read one NIfTI file."""

import os

from brainlapse.nifti.decoding import Decoded, decode
from brainlapse.nifti.files import read_regular


def read_nifti(path: str | os.PathLike, max_bytes: int | None = None) -> Decoded:
    """Read one three-dimensional image, compressed or not.

    Parameters
    ----------
    max_bytes
        Largest size, packed and unpacked; None for no limit.

    Raises
    ------
    ScanRejected
        The file cannot be read whole or holds no such image.
    OSError
        The machine is at fault, not the file.
    """
    name = os.fspath(path)
    return decode(name, read_regular(name, max_bytes), max_bytes)
