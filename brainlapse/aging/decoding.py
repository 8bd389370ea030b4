"""Decoded images of forecast and interpolated latents, written as NIfTI."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.forecast import masked_mae
from brainlapse.cohort.tables import scan_path
from brainlapse.images import load_volume, save_volume

IMAGE_COLUMNS = ["image_mae", "image_mae_copy"]


def write_images(
    plan: pd.DataFrame, images: Iterable[np.ndarray], folder: str | Path, affine: np.ndarray
) -> Iterator[tuple[dict, np.ndarray]]:
    """Write each image under its plan row's ``file`` and hand both on.

    Parameters
    ----------
    plan : pd.DataFrame
        One row per image, with ``file`` relative to ``folder``.
    images : Iterable[np.ndarray]
        (D, H, W) each, MNI space.
    folder : str | Path
        Folder of the files; made if missing.
    affine : np.ndarray
        Voxel to world mm (4, 4).
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for row, image in zip(plan.to_dict("records"), images, strict=True):
        save_volume(Path(folder, row["file"]), image, affine, dtype=np.float32)
        yield row, image


def image_errors(row: dict, image: np.ndarray, folder: str | Path) -> dict[str, float]:
    """Intensity error of one forecast and of the copy of the last scan, in the target's mask.

    Parameters
    ----------
    row : dict
        Row of the plan.
    image : np.ndarray
        Decoded forecast (D, H, W), intensities 0-1.
    folder : str | Path
        Folder of the preprocessed scans.
    """
    target = f"{folder}/{scan_path(row['dataset'], row['subject'], row['session'])}"
    last = f"{folder}/{scan_path(row['dataset'], row['subject'], row['last_session'])}"
    truth, mask, copy = (
        load_volume(path)[0]
        for path in (
            f"{target}_space-MNI_desc-brain_T1w.nii.gz",
            f"{target}_space-MNI_desc-brain_mask.nii.gz",
            f"{last}_space-MNI_desc-brain_T1w.nii.gz",
        )
    )
    errors = masked_mae(image, truth, mask), masked_mae(copy, truth, mask)
    return dict(zip(IMAGE_COLUMNS, errors, strict=True))


def with_folder(plan: pd.DataFrame, folder: str) -> pd.DataFrame:
    """Make ``file`` relative to the output folder instead of to ``folder``."""
    return plan.assign(file=[f"{folder}/{file}" for file in plan["file"]])
