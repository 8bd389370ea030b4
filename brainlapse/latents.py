"""Latents by one model, of a block of people or of all: `latents.npz`, `index.tsv` row by row."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.cohort.tables import SCAN, SPLIT_SCAN
from brainlapse.damage import check_complete, reading
from brainlapse.runtime import atomic_path, read_table, write_table

ARRAYS_NAME = "latents.npz"
INDEX_NAME = "index.tsv"
PARTS = ("mean", "log_variance")
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
    check_latents([mean, log_variance], index, arrays_path)
    with atomic_path(arrays_path) as temporary:
        np.savez(
            temporary,
            mean=mean.astype(np.float32, copy=False),
            log_variance=log_variance.astype(np.float32, copy=False),
        )
    write_table(index_path, index.drop(columns=list(NOT_IN_INDEX), errors="ignore"))


def read_latents(folder: str | Path) -> tuple[np.ndarray, pd.DataFrame]:
    """Read the mean latents by one model, of a block of people or of all.

    Returns
    -------
    tuple
        mean (N, C, d, h, w) float32, and the index with one row per latent.

    Raises
    ------
    DamagedFile
        If arrays or index are cut, or don't belong together.
    """
    (mean,), index = _read(folder, ("mean",))
    return mean, index


def read_blocks(folders: Sequence[str | Path]) -> tuple[np.ndarray, pd.DataFrame]:
    """Read the mean latents of several blocks of people, one after the other; or of none."""
    if not folders:
        return np.empty(0, np.float32), pd.DataFrame(columns=SCAN)
    means, tables = zip(*map(read_latents, folders), strict=True)
    return np.concatenate(means), pd.concat(tables, ignore_index=True)


def gather_latents(
    folders: Sequence[str | Path], index: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Read the latents of all blocks of people in the order of `index`; one block at a time.

    Parameters
    ----------
    index
        Dataset and scan of every latent of the blocks.

    Returns
    -------
    tuple
        mean and log_variance, (N, C, d, h, w) float32.

    Raises
    ------
    DamagedFile
        If a block is cut, or the scans are not those of the index.
    """
    keys = pd.MultiIndex.from_frame(index[SCAN])
    gathered: dict[str, np.ndarray] = {}
    found: list[tuple] = []
    for folder in folders:
        parts, block = _read(folder, PARTS)
        scans = pd.MultiIndex.from_frame(block[SCAN])
        found.extend(scans)
        for name, part in zip(PARTS, parts, strict=True):
            shape = (len(index), *part.shape[1:])
            gathered.setdefault(name, np.empty(shape, np.float32))[keys.get_indexer(scans)] = part
    check_complete(Path(folders[0]).parents[1], keys, found, "scans")
    return gathered["mean"], gathered["log_variance"]


def read_index(path: str | Path) -> pd.DataFrame:
    """Read an `index.tsv`: a row of scans.tsv per latent, with ``flagged``.

    Raises
    ------
    DamagedFile
        The file is cut, or lacks a contract column.
    """
    return read_table(path, SPLIT_SCAN)


def check_latents(parts: Iterable[np.ndarray], index: pd.DataFrame, path: str | Path) -> None:
    """Check that arrays and index have the same rows and no scan twice; ValueError if not."""
    shapes = [part.shape for part in parts]
    if len(set(shapes)) > 1 or shapes[0][0] != len(index):
        message = (
            f"{path}: expected one latent per row of {INDEX_NAME}, found shapes "
            f"{', '.join(map(str, shapes))} and {len(index)} rows; encode again"
        )
        raise ValueError(message)
    if index.duplicated(SCAN).any():
        twice = index.loc[index.duplicated(SCAN), "scan"].tolist()
        message = f"{path}: expected every scan once in {INDEX_NAME}, found {twice} twice"
        raise ValueError(message)


def _read(folder: str | Path, names: Sequence[str]) -> tuple[list[np.ndarray], pd.DataFrame]:
    arrays_path, index_path = Path(folder) / ARRAYS_NAME, Path(folder) / INDEX_NAME
    with reading(arrays_path), np.load(arrays_path, allow_pickle=False) as stored:
        parts = [stored[name] for name in names]
    index = read_table(index_path, SCAN)
    with reading(index_path):
        check_latents(parts, index, arrays_path)
    return parts, index


def reconstructed_file(scan_path: str) -> str:
    """File of a scan's reconstruction, in the folder of its block of people."""
    return f"{scan_path.partition('/')[2]}{RECONSTRUCTED}"
