"""Decoded images of forecast and interpolated latents, written as NIfTI."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.plan import VOXELS
from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, scan_path
from brainlapse.images import load_volume, save_volume

LAST_SEEN = (("subject", "last_session"),)
ENDS = (("subject", "session_first"), ("subject_last", "session_last"))


def write_images(
    plan: pd.DataFrame,
    images: Iterable[np.ndarray],
    masks: Iterable[np.ndarray],
    folder: str | Path,
    affine: np.ndarray,
) -> Iterator[tuple[dict, np.ndarray]]:
    """Strip each image, write it under its plan row's ``file`` and hand both on.

    Decoded brains have soft edges; stripped like the scans they are compared with, both hold
    the same region.

    Parameters
    ----------
    plan : pd.DataFrame
        One row per image, with ``file`` relative to ``folder``.
    images : Iterable[np.ndarray]
        (D, H, W) each, MNI space.
    masks : Iterable[np.ndarray]
        Bool (D, H, W) each, from `seen_masks`.
    folder : str | Path
        Folder of the files; made if missing.
    affine : np.ndarray
        Voxel to world mm (4, 4).
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for row, image, mask in zip(plan.to_dict("records"), images, masks, strict=True):
        stripped = np.where(mask, image, 0)
        save_volume(Path(folder, row["file"]), stripped, affine, dtype=np.float32)
        yield row, stripped


def mixed_images(
    plan: pd.DataFrame, decoded: Iterator[np.ndarray], folder: str | Path
) -> Iterator[np.ndarray]:
    """Yield for each row of the plan the next decoded image, or the mixture of the real scans.

    Parameters
    ----------
    plan : pd.DataFrame
        From `plan_interpolations`.
    decoded : Iterator[np.ndarray]
        (D, H, W) for the rows whose method is not `VOXELS`, in their order.
    folder : str | Path
        Folder of the preprocessed scans.
    """
    for row in plan.to_dict("records"):
        if row["method"] != VOXELS:
            yield next(decoded)
            continue
        first, last = (load_volume(f"{path}{BRAIN}")[0] for path in _paths(row, ENDS, folder))
        yield np.clip(row["alpha"] * first + (1 - row["alpha"]) * last, 0, 1)


def _paths(row: dict, scans: Sequence[tuple[str, str]], folder: str | Path) -> list[str]:
    names = [scan_path(row["dataset"], row[subject], row[session]) for subject, session in scans]
    return [f"{folder}/{name}" for name in names]


def seen_masks(
    plan: pd.DataFrame, scans: Sequence[tuple[str, str]], folder: str | Path
) -> Iterator[np.ndarray]:
    """Yield for each row of the plan the union of the brain masks of scans that it may see.

    Parameters
    ----------
    plan : pd.DataFrame
        With dataset and the columns of `scans`.
    scans : Sequence[tuple[str, str]]
        Columns that name subject and session: `LAST_SEEN` for a forecast, never the target's.
    folder : str | Path
        Folder of the preprocessed scans.
    """
    for row in plan.to_dict("records"):
        paths = _paths(row, scans, folder)
        masks = [load_volume(f"{path}{BRAIN_MASK}")[0] > 0 for path in paths]
        yield np.logical_or.reduce(masks)


def with_folder(plan: pd.DataFrame, folder: str) -> pd.DataFrame:
    """Make ``file`` relative to the output folder instead of to ``folder``."""
    return plan.assign(file=[f"{folder}/{file}" for file in plan["file"]])
