"""Reading the images that the report shows."""

from pathlib import Path
from typing import Any

from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, scan_path
from brainlapse.figures.scans.quality import Head
from brainlapse.images import load_canonical
from brainlapse.rejection import read_rejection


def stem_of(row: Any) -> str:
    """Return the stem of a scan's files from its ``dataset``, ``subject`` and ``session``."""
    return scan_path(row["dataset"], row["subject"], row["session"])


def load_head(volume: str | Path, mask: str | Path) -> Head | None:
    """Read a volume with its mask; None where a rejection notice or nothing stands in its place."""
    paths = (Path(volume), Path(mask))
    if not all(path.is_file() and read_rejection(path) is None for path in paths):
        return None
    pixels, affine = load_canonical(paths[0])
    return Head(pixels, load_canonical(paths[1])[0] > 0, affine)


def raw_head(preprocessed: str | Path, stem: str) -> Head | None:
    """Read the bias-corrected head in its own space."""
    start = f"{preprocessed}/{stem}"
    return load_head(f"{start}_desc-n4_T1w.nii.gz", f"{start}_space-T1w_desc-brain_mask.nii.gz")


def mni_brain(preprocessed: str | Path, stem: str) -> Head | None:
    """Read the normalised brain in MNI space."""
    start = f"{preprocessed}/{stem}"
    return load_head(f"{start}{BRAIN}", f"{start}{BRAIN_MASK}")
