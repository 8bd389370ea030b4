"""What a segmentation gives."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Segmentation:
    """What a backend says about one scan.

    Attributes
    ----------
    volumes_mm3
        Region -> volume [mm3] in MNI space; NaN for a region that it cannot measure.
    labels
        uint8 (X, Y, Z) on the scan's grid, FreeSurfer ids; None if the image shows no brain.
    """

    volumes_mm3: dict[str, float]
    labels: np.ndarray | None
