"""The segmenter's classes: SynthSeg's 32 structures with left and right folded together."""

import numpy as np

from brainlapse.segmentation.labels import STRUCTURES

MIRRORED = {
    STRUCTURES[name]: STRUCTURES[name.replace("left", "right")]
    for name in STRUCTURES
    if name.startswith("left ")
}
"""Label of every left structure and of its mirror image."""
UNPAIRED = tuple(
    label for name, label in STRUCTURES.items() if not name.startswith(("left ", "right "))
)
CLASS_LABELS: tuple[int, ...] = (0, *MIRRORED, *UNPAIRED)
"""Label of each class (the left one of a pair); the first is the background."""
CLASSES = len(CLASS_LABELS)
PAIRED = np.array([label in MIRRORED for label in CLASS_LABELS])
"""bool (CLASSES,): classes that have a side."""


def class_table(size: int = 1024) -> np.ndarray:
    """Class of every label id below `size`; ids that are no structure are background."""
    table = np.zeros(size, dtype=np.uint8)
    for number, label in enumerate(CLASS_LABELS):
        table[label] = number
        if label in MIRRORED:
            table[MIRRORED[label]] = number
    return table


def right_table(size: int = 1024) -> np.ndarray:
    """Tell of every label id below `size` whether it is a structure of the right side."""
    table = np.zeros(size, dtype=bool)
    table[list(MIRRORED.values())] = True
    return table
