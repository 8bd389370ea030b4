"""``python -m brainlapse.segmentation``: the embedded network behind SynthSeg's command line."""

import argparse
import csv
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlapse import runtime
from brainlapse.images import load_scan, save_volume
from brainlapse.rejection import ScanRejected
from brainlapse.segmentation.embedded.network import (
    GRID,
    WEIGHTS,
    Network,
    load_network,
    segment_brain,
)
from brainlapse.segmentation.embedded.placing import (
    PlacedBrain,
    carry_back,
    output_grid,
    place_mni_brain,
    take_prepared,
)
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.labels import CSV_HEADER, INTRACRANIAL, STRUCTURES

ONLY_SYNTHSEG = (
    "parc", "robust", "ct", "qc", "post", "resample", "crop", "autocrop", "v1", "addctab",
)  # fmt: skip
"""Options of mri_synthseg that the embedded network lacks; refused with a sentence."""
NIFTI = (".nii", ".nii.gz")

log = logging.getLogger("brainlapse")


@dataclass(frozen=True)
class Task:
    """One scan: its file, where its labels go, and the table that gets its row."""

    scan: Path
    labels: Path
    table: Path | None


class UsageError(Exception):
    """What was asked for cannot be done; one sentence."""


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m brainlapse.segmentation",
        description="Segment T1-weighted scans (whole heads or stripped, any orientation, 0.5 to "
        "3 mm) into SynthSeg's 32 structures, with the network that comes with brainlapse.",
    )
    parser.add_argument("--i", required=True, help="scan, folder of scans, or .txt list of scans")
    parser.add_argument("--o", required=True, help="label map, folder, or .txt list of label maps")
    parser.add_argument("--vol", help=".csv for the volumes [mm3]; with a list a .txt of them")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    parser.add_argument("--cpu", action="store_true", help="leave the GPU alone")
    parser.add_argument("--fast", action="store_true", help="half the time, no mirrored look")
    parser.add_argument("--keepgeom", action="store_true", help="labels on the scan's own grid")
    parser.add_argument(
        "--weights", type=Path, default=WEIGHTS, help="another network than the shipped one"
    )
    parser.add_argument(
        "--mni",
        action="store_true",
        help="scans are stripped and lie in MNI space already (as those of this pipeline do)",
    )
    parser.add_argument(
        "--prepared",
        action="store_true",
        help="scans lie on the network's own grid, have the chain's intensities, and are 0 exactly "
        "outside the brain: nothing is interpolated or scaled",
    )
    for name in ONLY_SYNTHSEG:
        parser.add_argument(f"--{name}", nargs="?", const=True, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Segment what the command line names.

    Returns
    -------
    int
        0 if every scan was segmented, 1 if one was not, 2 if the request makes no sense.
    """
    wanted = parse_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    runtime.keep_memory()
    runtime.limit_threads(wanted.threads)
    try:
        check_options(wanted)
        tasks = list_tasks(Path(wanted.i), Path(wanted.o), Path(wanted.vol) if wanted.vol else None)
        network = load_network(wanted.weights, cpu=wanted.cpu)
    except (UsageError, FileNotFoundError) as error:
        log.error("%s", error)
        return 2
    rows: dict[Path, list[tuple[str, dict[str, float]]]] = {}
    failed = 0
    for task in runtime.progress(tasks, "segmented", len(tasks)):
        try:
            volumes = segment_file(task, network, wanted)
        except (ScanRejected, ImplausibleImage) as error:
            reason = str(error).removeprefix(f"{task.scan}: ")  # a reader's errors name the file
            log.error("%s: %s", task.scan, reason)
            failed += 1
            continue
        if task.table:
            rows.setdefault(task.table, []).append((task.scan.name, volumes))
            write_volumes(task.table, rows[task.table])
    if failed:
        log.error("%d of %d scans could not be segmented", failed, len(tasks))
    return 1 if failed else 0


def check_options(wanted: argparse.Namespace) -> None:
    """Refuse options of mri_synthseg that the embedded network lacks (`UsageError`)."""
    asked = [f"--{name}" for name in ONLY_SYNTHSEG if getattr(wanted, name) is not None]
    if asked:
        message = (
            f"the embedded network has no {', '.join(asked)}; leave it out, or run FreeSurfer's "
            "mri_synthseg (segmentation.backend in the config)"
        )
        raise UsageError(message)


def list_tasks(source: Path, target: Path, table: Path | None) -> list[Task]:
    """Match inputs with outputs.

    Raises
    ------
    UsageError
        If an input is missing, or the lists do not fit each other.
    """
    if source.suffix == ".txt":
        return _tasks_of_lists(source, target, table)
    if source.is_dir():
        scans = sorted(path for path in source.iterdir() if path.name.endswith(NIFTI))
        if not scans:
            message = f"{source}: expected NIfTI files (*.nii, *.nii.gz), found none"
            raise UsageError(message)
        return [Task(scan, target / labels_name(scan), table) for scan in scans]
    if not source.is_file():
        message = f"{source}: expected a scan, a folder or a .txt list, found nothing"
        raise UsageError(message)
    if not target.name.endswith(NIFTI):
        target = target / labels_name(source)
    return [Task(source, target, table)]


def labels_name(scan: Path) -> str:
    """File name of a label map in an output folder: ``head_synthseg.nii.gz``."""
    return scan.name.removesuffix(".gz").removesuffix(".nii") + "_synthseg.nii.gz"


def _tasks_of_lists(source: Path, target: Path, table: Path | None) -> list[Task]:
    lists = {source: _read_list(source)}
    for path in (target, table):
        if path is None:
            continue
        if path.suffix != ".txt":
            message = f"{path}: with a list as input every output is a .txt list too"
            raise UsageError(message)
        lists[path] = _read_list(path)
    if len({len(paths) for paths in lists.values()}) != 1:
        counts = ", ".join(f"{path}: {len(paths)}" for path, paths in lists.items())
        message = f"expected lists of one length, found {counts}"
        raise UsageError(message)
    tables: list[Path | None] = list(lists[table]) if table else [None] * len(lists[source])
    return [Task(*row) for row in zip(lists[source], lists[target], tables, strict=True)]


def _read_list(path: Path) -> list[Path]:
    if not path.is_file():
        message = f"{path}: expected a list of paths, one per line, found no such file"
        raise UsageError(message)
    return [
        Path(line.strip()) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]


def segment_file(task: Task, network: Network, wanted: argparse.Namespace) -> dict[str, float]:
    """Segment one scan, write its label map, return its 32 volumes [mm3] in its own space.

    An image in MNI space that shows no brain, as an untrained decoder makes them, has volumes 0.
    """
    volume, affine = load_scan(task.scan)
    grid = output_grid(affine, volume.shape, wanted.keepgeom)
    try:
        placed = place(volume, affine, wanted)
        posteriors = segment_brain(
            placed.volume, placed.mask, network, wanted.fast, scaled=wanted.prepared
        )
    except (ScanRejected, ImplausibleImage) as reason:
        if not wanted.mni:
            raise
        log.warning("%s: %s; its volumes are 0", task.scan, reason)
        save_volume(task.labels, np.zeros(grid.shape, dtype=np.uint8), grid.affine)
        return dict.fromkeys(STRUCTURES, 0.0)
    save_volume(task.labels, carry_back(posteriors, placed.from_mni, grid), grid.affine)
    native = float(abs(np.linalg.det(placed.from_mni[:3, :3])))
    return structure_volumes(posteriors, GRID.voxel_volume_mm3 * native)


def place(volume: np.ndarray, affine: np.ndarray, wanted: argparse.Namespace) -> PlacedBrain:
    """Bring a scan to the network's grid; one in MNI space is there already."""
    if wanted.prepared:
        return take_prepared(volume, affine)
    if wanted.mni:
        return place_mni_brain(volume, affine)
    # Here, since ANTs and deepbet take longer to import than a brain in MNI space to segment.
    from brainlapse.segmentation.embedded.heads import place_scan

    return place_scan(volume, affine)


def write_volumes(path: Path, rows: list[tuple[str, dict[str, float]]]) -> None:
    """Write volumes as ``mri_synthseg --vol`` does: 34 columns, mm3, three decimals.

    Parameters
    ----------
    path
        CSV file.
    rows
        File name of each scan, which loses ``.nii.gz``, and its 32 volumes.
    """
    with (
        runtime.atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CSV_HEADER)
        for name, volumes in rows:
            values = {INTRACRANIAL: sum(volumes.values()), **volumes}
            cells = [f"{values[column]:.3f}" for column in (INTRACRANIAL, *STRUCTURES)]
            writer.writerow([name.replace(".nii.gz", ""), *cells])
