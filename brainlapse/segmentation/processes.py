"""Run one ``mri_synthseg`` and believe its result only after every check."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainlapse.images import load_volume
from brainlapse.runtime import log
from brainlapse.segmentation.commands import (
    LABELS_NAME,
    SCAN_NAME,
    TABLE_NAME,
    Job,
    build_command,
    stop_command,
)
from brainlapse.segmentation.errors import SegmentationFailed
from brainlapse.segmentation.labels import STRUCTURES
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg import check_labels, check_volumes, read_volumes

LOG_LINES = 12


def run_synthseg(
    scan: Path, settings: SegmentationSettings, threads: int
) -> tuple[dict[str, float], np.ndarray]:
    """Segment one scan with ``mri_synthseg``.

    Parameters
    ----------
    scan
        NIfTI file. A copy under a plain name is handed on, so that no character of a path
        reaches a mount option.
    settings
        Backend, image, binary, time limit and plausible volumes.
    threads
        CPU threads.

    Returns
    -------
    tuple
        Structure -> volume [mm3] (32), and the label map on the scan's grid.

    Raises
    ------
    SegmentationFailed
        If any check fails; names scan, backend, cause and the last lines of output.
    """
    with tempfile.TemporaryDirectory(prefix="brainlapse-") as folder:
        job = _prepare(scan, Path(folder), threads)
        output_file = Path(folder, "output.log")
        try:
            _execute(build_command(job, settings), job, settings, output_file)
            volumes = read_volumes(job.output_folder / TABLE_NAME)
            check_volumes(volumes, settings)
            labels = _read_labels(job)
        except SegmentationFailed as error:
            cause = f"{scan}: {settings.backend} segmentation failed: {error}"
            message = f"{cause}\n{_last_lines(output_file)}"
            raise SegmentationFailed(message) from error
    return {name: volumes[name] for name in STRUCTURES}, labels


def _prepare(scan: Path, folder: Path, threads: int) -> Job:
    source, target = folder / "input", folder / "output"
    source.mkdir()
    target.mkdir()
    shutil.copyfile(scan, source / SCAN_NAME)
    return Job(
        input_folder=source.resolve(),
        output_folder=target.resolve(),
        threads=threads,
        user_id=os.getuid(),
        group_id=os.getgid(),
        name=f"brainlapse-{uuid.uuid4().hex}",
    )


def _execute(
    command: list[str], job: Job, settings: SegmentationSettings, output_file: Path
) -> None:
    log.info("Running %s", command)
    with output_file.open("wb") as stream:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            message = f"cannot start {command[0]} ({error.strerror}); install it or change the "
            raise SegmentationFailed(message + "segmentation settings") from error
        try:
            code = process.wait(timeout=settings.timeout_s)
        except subprocess.TimeoutExpired as error:
            message = f"it ran past the time limit of {settings.timeout_s:g} s"
            raise SegmentationFailed(message) from error
        finally:
            _end(process, stop_command(job, settings))
    if code != 0:
        hint = " (killed, most often for want of memory)" if code in (137, -9) else ""
        message = f"it ended with exit code {code}{hint}"
        raise SegmentationFailed(message)


def _end(process: subprocess.Popen, stop: Sequence[str] | None) -> None:
    """Leave nothing running, neither children nor a container."""
    if process.returncode == 0:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if stop:
        subprocess.run(stop, capture_output=True, check=False, timeout=60)


def _read_labels(job: Job) -> np.ndarray:
    path = job.output_folder / LABELS_NAME
    if not path.is_file():
        message = "it wrote no label map"
        raise SegmentationFailed(message)
    labels, affine = load_volume(path)
    volume, expected_affine = load_volume(job.input_folder / SCAN_NAME)
    check_labels(labels, affine, volume.shape, expected_affine)
    return labels.astype(np.uint8)


def _last_lines(path: Path) -> str:
    if not path.is_file():
        return "It wrote no output."
    lines = path.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(["Last lines of its output:", *lines]) if lines else "It wrote no output."
