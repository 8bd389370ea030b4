"""Segment scans with one of the command-line backends and believe only what passes the gates."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlapse.programs import last_lines
from brainlapse.runtime import log, process_token
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.labels import STRUCTURES
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg.commands import (
    LICENSE_NAME,
    Job,
    labels_file,
    list_contents,
    list_file,
    scan_file,
    table_file,
)
from brainlapse.segmentation.synthseg.gates import check_volumes, read_labels, read_volumes
from brainlapse.segmentation.synthseg.orphans import remove_orphans
from brainlapse.segmentation.synthseg.processes import run_process


@dataclass(frozen=True)
class Structures:
    """A result that passed every gate.

    Attributes
    ----------
    volumes_mm3
        The 32 structures -> volume [mm3].
    labels
        uint8 (X, Y, Z) on the scan's grid, FreeSurfer ids.
    """

    volumes_mm3: dict[str, float]
    labels: np.ndarray


Outcome = Structures | ImplausibleImage | SegmentationFailed


def run_segmenter(
    scans: Iterable[Path],
    settings: SegmentationSettings,
    threads: int,
    prepared: bool = False,
) -> list[Structures | ImplausibleImage]:
    """Segment scans: with the embedded network in one process, else in one process per scan.

    Parameters
    ----------
    scans
        NIfTI files. Copies under plain names are handed on, so that no character of a path
        reaches a mount option.
    settings
        Backend, image, binary, time limit and plausible volumes.
    threads
        CPU threads.
    prepared
        The scans lie on the embedded network's grid and scale; others take them as any scan.

    Returns
    -------
    list
        One per scan: its structures, or why the image cannot be a brain.

    Raises
    ------
    SegmentationFailed
        If the tool failed on a scan, with a GPU also in the one further try on the CPU. The
        message names each scan that failed, the backend, the cause and the last lines of output.
    """
    scans = list(scans)
    if not scans:
        return []
    remove_orphans(settings)
    batches = [scans] if settings.backend == "embedded" else [[scan] for scan in scans]
    return [one for batch in batches for one in _segment_batch(batch, settings, threads, prepared)]


def _segment_batch(
    scans: list[Path], settings: SegmentationSettings, threads: int, prepared: bool
) -> list[Structures | ImplausibleImage]:
    outcomes = _attempt(scans, settings, threads, prepared)
    failed = [number for number, one in enumerate(outcomes) if not isinstance(one, Structures)]
    # A faulty GPU may also show in volumes of nothing, so every failed gate counts.
    if failed and settings.gpu:
        log.warning("%s\nTrying once more, on the CPU", _join(outcomes))
        on_cpu = settings.model_copy(update={"gpu": False})
        again = _attempt([scans[number] for number in failed], on_cpu, threads, prepared)
        for number, outcome in zip(failed, again, strict=True):
            outcomes[number] = outcome
    if any(isinstance(one, SegmentationFailed) for one in outcomes):
        raise SegmentationFailed(_join(outcomes))
    return [one for one in outcomes if not isinstance(one, SegmentationFailed)]


def _join(outcomes: list[Outcome]) -> str:
    """Messages of all failures; one that stands for several scans is told once."""
    return "\n".join(dict.fromkeys(str(one) for one in outcomes if isinstance(one, Exception)))


def _attempt(
    scans: list[Path], settings: SegmentationSettings, threads: int, prepared: bool
) -> list[Outcome]:
    """Run one process in a folder of its own, which is removed with all partial output."""
    with tempfile.TemporaryDirectory(prefix="brainlapse-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        output_file = folder / "output.log"
        job = _prepare(scans, folder, threads, prepared)
        try:
            run_process(job, settings, output_file)
        except SegmentationFailed as error:
            tables = [job.output_folder / table_file(number) for number in range(job.scans)]
            undone = [scan for scan, table in zip(scans, tables, strict=True) if not table.exists()]
            named = ", ".join(map(str, undone or scans))
            message = f"{named}: {settings.backend} segmentation failed: {error}"
            return [SegmentationFailed(f"{message}\n{last_lines(output_file)}")] * len(scans)
        return [
            _judge(scan, job, number, settings, output_file) for number, scan in enumerate(scans)
        ]


def _prepare(scans: list[Path], folder: Path, threads: int, prepared: bool) -> Job:
    source, target = folder / "input", folder / "output"
    source.mkdir()
    target.mkdir()
    for number, scan in enumerate(scans):
        shutil.copyfile(scan, source / scan_file(number))
    license_file = Path(os.environ.get("FS_LICENSE", ""))
    licensed = license_file.is_file()
    if licensed:
        shutil.copyfile(license_file, source / LICENSE_NAME)
    job = Job(
        input_folder=source,
        output_folder=target,
        scans=len(scans),
        prepared=prepared,
        threads=threads,
        user_id=os.getuid(),
        group_id=os.getgid(),
        name=f"brainlapse-{uuid.uuid4().hex}",
        owner=process_token(),
        visible_gpus=os.environ.get("CUDA_VISIBLE_DEVICES"),
        licensed=licensed,
    )
    for option, paths in list_contents(job).items():
        (source / list_file(option)).write_text(
            "".join(f"{path}\n" for path in paths), encoding="utf-8"
        )
    return job


def _judge(
    scan: Path, job: Job, number: int, settings: SegmentationSettings, output_file: Path
) -> Outcome:
    """Hold one scan's result to every gate; a failure is returned, for others must be judged."""
    try:
        volumes_mm3 = read_volumes(job.output_folder / table_file(number))
        labels = read_labels(job.output_folder / labels_file(number), scan)
        check_volumes(volumes_mm3, settings)
    except (SegmentationFailed, ImplausibleImage) as error:
        cause = f"{scan}: {settings.backend} segmentation failed: {error}"
        return type(error)(f"{cause}\n{last_lines(output_file)}")
    return Structures({name: volumes_mm3[name] for name in STRUCTURES}, labels)
