"""Every set of heads with a known brain, by name, read from the folder of the data."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.heads.drawn import Means, draw_head, like_t1, without_bright_fat
from benchmarks.heads.head import Head
from brainlapse.images import load_canonical

SEED = 0
OASIS_GROUPS = {
    "intracranial": [1, 2, 3],
    "white_matter": [2],
    "ventricles": [3],
    "cortical_csf": [],
}
OASIS_WHITE, OASIS_VENTRICLES = (44, 45), (4, 11, 49, 50, 51, 52)

Heads = Iterator[tuple[str, Head]]


def read_bids(data: Path, count: int, first: int = 0, *, name: str) -> Heads:
    """Real heads beside DLMUSE's segmentations."""
    truth = data / name / "derivatives/dlmuse"
    groups = json.loads((data / "ixi/derivatives/dlmuse/label_groups.json").read_text())
    for scan in choose(data / name, "sub-*/anat/*_T1w.nii.gz", count, first):
        subject = scan.parent.parent.name
        segmentation = next((truth / subject / "anat").glob("*_dseg.nii.gz"))
        volume, affine = load_canonical(scan)
        yield subject, Head(volume, load_canonical(segmentation)[0].astype(int), affine, groups)


def read_oasis(data: Path, count: int, first: int = 0) -> Heads:
    """Real brains, stripped, beside manual masks and labels."""
    for scan in choose(data / "oasis", "*_SS.nii.gz", count, first):
        name = scan.name.removesuffix("_SS.nii.gz")
        volume, affine = load_canonical(scan)
        mask, manual = (
            load_canonical(scan.with_name(f"{name}_{kind}.nii.gz"))[0] for kind in ("mask", "glm")
        )
        labels = (mask > 0).astype(int)
        labels[np.isin(manual.astype(int), OASIS_WHITE)] = 2
        labels[np.isin(manual.astype(int), OASIS_VENTRICLES)] = 3
        yield name, Head(volume, labels, affine, OASIS_GROUPS)


def read_drawn(data: Path, count: int, first: int = 0, *, means_of: Means) -> Heads:
    """Heads of 2 mm drawn from label maps."""
    random = np.random.default_rng(SEED)
    for path in choose(data / "label_maps", "*.nii.gz", count, first):
        labels, affine = load_canonical(path)
        coarse = labels[::2, ::2, ::2].astype(int)
        yield path.name, draw_head(coarse, affine @ np.diag([2, 2, 2, 1.0]), random, means_of).head


SETS: dict[str, Callable[[Path, int, int], Heads]] = {
    "ixi": partial(read_bids, name="ixi"),
    "clinic": partial(read_bids, name="clinic"),
    "oasis": read_oasis,
    "drawn": partial(read_drawn, means_of=like_t1),
    "drawn_without_fat": partial(read_drawn, means_of=without_bright_fat),
}
"""Each takes the folder of the data, how many heads to take, spread over all (0: every one), and
how many to pass over before."""


def choose(folder: Path, pattern: str, count: int, first: int = 0) -> list[Path]:
    """Spread a number of files over all that match, from the first on; 0 takes every one.

    Raises
    ------
    SystemExit
        If there are none.
    """
    files = sorted(folder.glob(pattern))[first:]
    if not files:
        raise SystemExit(f"{folder}: expected more than {first} files named {pattern}")
    return files[:: max(1, len(files) // count)][:count] if count else files
