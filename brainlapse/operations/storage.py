"""Whether the folders of a run can be written and locked, and hold what will come."""

import errno
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from brainlapse.operations.findings import Finding

CORRECTED_PER_RAW = 4.6
BRAIN_BYTES = 1.45
"""Bytes of a bias-corrected head per byte of the raw file, and of a brain per voxel of the grid:
40 IXI heads of 2 mm on a grid of 160 x 192 x 160 voxels."""
TRAINING_BYTES, LATENT_SHARE = 2.0, 0.1
GB = 1e9
CACHES = ("XDG_CACHE_HOME", "HOME")


def check_output(folder: Path) -> list[Finding]:
    """Try to write and lock in the output folder, or where it will be made."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            return [Finding("good", f"{folder} can be written"), check_lock(file.fileno(), place)]
    except OSError as error:
        what = f"{folder} can't be written ({error.strerror})"
        return [Finding("fault", what, f"name another `output`, or make {place} writable")]


def check_lock(descriptor: int, place: Path) -> Finding:
    """Take the lock that keeps two runs out of one folder."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        what = f"{place}: files can't be locked here (flock: {name})"
        remedy = "start one run at a time yourself, or use a file system with flock"
        return Finding("warning", what, remedy)
    return Finding("good", f"{place}: files can be locked")


def check_home() -> Finding:
    """Snakemake and matplotlib keep caches in the home folder, or under XDG_CACHE_HOME."""
    for name in CACHES:
        folder = os.environ.get(name)
        if folder:
            if os.access(folder, os.W_OK):
                return Finding("good", f"{name} ({folder}) can be written")
            break
    what = f"{name} ({folder}) can't be written, where Snakemake keeps its cache"
    return Finding("fault", what, "set XDG_CACHE_HOME to a folder of yours that can be written")


def bytes_needed(raw_bytes: int, scans: int, fit_scans: int, voxels: int, models: int) -> float:
    """Estimate the bytes of a finished run.

    Parameters
    ----------
    raw_bytes
        Of all raw scans together.
    scans, fit_scans
        Of the cohort, and of them those that train autoencoders.
    voxels
        Of the MNI grid.
    models
        Number of autoencoders; each leaves a reconstruction of every scan.
    """
    brains = scans * voxels * BRAIN_BYTES
    return (
        CORRECTED_PER_RAW * raw_bytes
        + brains
        + models * (brains + fit_scans * voxels * TRAINING_BYTES + LATENT_SHARE * brains)
    )


def check_space(folder: Path, needed: float) -> Finding:
    """Compare free space with what the run will leave, less what is there already."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    missing = max(0.0, needed - there)
    what = f"about {missing / GB:.1f} GB more to come, {free / GB:.1f} GB free at {place}"
    if missing > free:
        return Finding("fault", what, "free some space, or name another `output`")
    return Finding("good", what)
