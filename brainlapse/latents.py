"""Latents by one model, of a block of people or of all: `latents.npz`, `index.tsv` row by row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.cohort.tables import SCAN, SPLIT_SCAN
from brainlapse.damage import check_complete, reading
from brainlapse.runtime import atomic_path, read_table, write_table

ARRAYS_NAME = "latents.npz"
INDEX_NAME = "index.tsv"
RECONSTRUCTED = "_space-MNI_desc-reconstructed_T1w.nii.gz"
NOT_IN_INDEX = ("path", "sha256", "image_sha256")  # of the raw file: no business of the latents


def write_latents(
    arrays_path: str | Path,
    index_path: str | Path,
    mean: np.ndarray,
    log_variance: np.ndarray,
    index: pd.DataFrame,
) -> None:
    """Write the latents and their index; every file is whole or absent.

    Parameters
    ----------
    arrays_path, index_path
        `latents.npz` and `index.tsv`.
    mean, log_variance
        (N, C, d, h, w), stored as float32.
    index
        One row per latent, same order, with at least dataset and scan.

    Raises
    ------
    ValueError
        If the numbers of rows differ or a scan stands twice.
    """
    check_latents(mean, log_variance, index, arrays_path)
    with atomic_path(arrays_path) as temporary:
        np.savez(
            temporary, mean=mean.astype(np.float32), log_variance=log_variance.astype(np.float32)
        )
    write_table(index_path, index.drop(columns=list(NOT_IN_INDEX), errors="ignore"))


def read_latents(folder: str | Path) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Read the latents of one model.

    Returns
    -------
    tuple
        mean (N, C, d, h, w) float32, log_variance of the same shape, and the index with one
        row per latent.

    Raises
    ------
    DamagedFile
        If arrays or index are cut, or don't belong together.
    """
    arrays_path = Path(folder) / ARRAYS_NAME
    with reading(arrays_path), np.load(arrays_path, allow_pickle=False) as stored:
        mean, log_variance = stored["mean"], stored["log_variance"]
    index = read_table(Path(folder) / INDEX_NAME, SCAN)
    with reading(Path(folder) / INDEX_NAME):
        check_latents(mean, log_variance, index, arrays_path)
    return mean, log_variance, index


def read_blocks(folders: Sequence[str | Path]) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Read the latents of several blocks of people, one after the other; of none without any."""
    if not folders:
        return np.empty(0, np.float32), np.empty(0, np.float32), pd.DataFrame(columns=SCAN)
    blocks = [read_latents(folder) for folder in folders]
    index = pd.concat([block[2] for block in blocks], ignore_index=True)
    mean, log_variance = (np.concatenate([block[part] for block in blocks]) for part in (0, 1))
    return mean, log_variance, index


def read_index(path: str | Path) -> pd.DataFrame:
    """Read an `index.tsv`: a row of scans.tsv per latent, with ``flagged``.

    Raises
    ------
    DamagedFile
        The file is cut, or lacks a contract column.
    """
    return read_table(path, SPLIT_SCAN)


def check_latents(
    mean: np.ndarray, log_variance: np.ndarray, index: pd.DataFrame, path: str | Path
) -> None:
    """Check that arrays and index have the same rows and no scan twice; ValueError if not."""
    if mean.shape != log_variance.shape or len(mean) != len(index):
        message = (
            f"{path}: expected one mean and one log-variance per row of {INDEX_NAME}, found "
            f"shapes {mean.shape}, {log_variance.shape} and {len(index)} rows; encode again"
        )
        raise ValueError(message)
    if index.duplicated(SCAN).any():
        twice = index.loc[index.duplicated(SCAN), "scan"].tolist()
        message = f"{path}: expected every scan once in {INDEX_NAME}, found {twice} twice"
        raise ValueError(message)


def positions(index: pd.DataFrame, scan_paths: Sequence[str], path: str | Path) -> np.ndarray:
    """Rows of latents that belong to scans.

    Parameters
    ----------
    index
        From `read_latents`, with scan_path.
    scan_paths
        Of the wanted scans.
    path
        File of the index.

    Raises
    ------
    DamagedFile
        If a scan has no latent.
    """
    known = pd.Index(index["scan_path"])
    check_complete(path, scan_paths, known.intersection(list(scan_paths)), "scans")
    return known.get_indexer(list(scan_paths))


def reconstructed_file(scan_path: str) -> str:
    """File of a scan's reconstruction, in the folder of its block of people."""
    return f"{scan_path.partition('/')[2]}{RECONSTRUCTED}"
