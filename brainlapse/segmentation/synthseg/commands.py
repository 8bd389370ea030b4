"""The command line of the segmenter, for every backend: argument lists, never a shell.

``CMD --i IN --o SEG --vol VOLUMES --threads N --keepgeom [--fast] [--cpu]`` is
``mri_synthseg``, here or in a container, or the embedded network. The embedded network takes
many scans in one process, so that its weights are loaded once: IN, SEG and VOLUMES are then text
files with one path per line.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainlapse.containers import (
    INPUT_MOUNT,
    OUTPUT_MOUNT,
    Box,
    apptainer_image,
    apptainer_options,
    run_options,
    same_user,
)
from brainlapse.segmentation.settings import CONTAINERS, SegmentationSettings

if TYPE_CHECKING:
    # Reached by its command line alone: the code fingerprints of the rules must know it too.
    import brainlapse.segmentation.__main__  # noqa: F401

EMBEDDED = (sys.executable, "-m", "brainlapse.segmentation", "--mni")
LIBRARY = Path(__file__).resolve().parents[3]
LICENSE_NAME = "license.txt"


@dataclass(frozen=True, kw_only=True)
class Job(Box):
    """What one process of the segmenter works on, and on whose behalf.

    Attributes
    ----------
    input_folder
        Holds the scans (`scan_file`), the lists of paths and the licence; absolute, without
        commas and colons.
    output_folder
        Receives label maps and tables (`labels_file`, `table_file`); likewise.
    scans
        How many; above 1 with the embedded network only.
    prepared
        Whether the scans are prepared for the embedded network; see its ``--prepared``.
    threads
        CPU threads; volumes may differ in the last digits between numbers of threads.
    visible_gpus
        Value of ``CUDA_VISIBLE_DEVICES``; None where it is not set.
    licensed
        Whether the input folder holds a FreeSurfer licence.
    """

    scans: int
    prepared: bool
    threads: int
    visible_gpus: str | None
    licensed: bool


def scan_file(index: int) -> str:
    """Name of a scan in the input folder."""
    return f"scan-{index + 1}.nii.gz"


def labels_file(index: int) -> str:
    """Name of a scan's label map in the output folder."""
    return f"labels-{index + 1}.nii.gz"


def table_file(index: int) -> str:
    """Name of a scan's table of volumes in the output folder."""
    return f"volumes-{index + 1}.csv"


def list_contents(job: Job) -> dict[str, list[Path]]:
    """Paths that the lists of a job with many scans hold, by option and name of the list."""
    numbers = range(job.scans)
    return {
        "i": [job.input_folder / scan_file(index) for index in numbers],
        "o": [job.output_folder / labels_file(index) for index in numbers],
        "vol": [job.output_folder / table_file(index) for index in numbers],
    }


def list_file(option: str) -> str:
    """Name of a list in the input folder."""
    return f"list-{option}.txt"


def build_command(job: Job, settings: SegmentationSettings) -> list[str]:
    """Return the arguments that run the segmenter on the scans of a job."""
    source, target = (
        (INPUT_MOUNT, OUTPUT_MOUNT)
        if settings.backend in IN_A_CONTAINER
        else (job.input_folder, job.output_folder)
    )
    starts = STARTS[settings.backend](job, settings)
    return [*starts, *_arguments(job, source, target, settings)]


def build_environment(settings: SegmentationSettings) -> dict[str, str]:
    """Return the environment of the command; the embedded network must find this library."""
    environment = dict(os.environ)
    if settings.backend == "embedded":
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{LIBRARY}{os.pathsep}{known}" if known else str(LIBRARY)
    return environment


def stop_command(job: Job, settings: SegmentationSettings) -> Sequence[str]:
    """Return the arguments that end a container which outlives its client; none for the others."""
    if settings.backend in CONTAINERS:
        return [settings.backend, "rm", "--force", job.name]
    return []


def _arguments(job: Job, source: Path, target: Path, settings: SegmentationSettings) -> list[str]:
    if job.scans == 1:
        paths = [source / scan_file(0), target / labels_file(0), target / table_file(0)]
    else:
        paths = [source / list_file(option) for option in ("i", "o", "vol")]
    arguments = ["--i", str(paths[0]), "--o", str(paths[1]), "--vol", str(paths[2])]
    arguments += ["--threads", str(job.threads), "--keepgeom"]
    if settings.fast:
        arguments.append("--fast")
    if not settings.gpu:
        arguments.append("--cpu")
    return arguments


def _embedded(job: Job, settings: SegmentationSettings) -> list[str]:
    weights = ["--weights", str(Path(settings.weights).resolve())] if settings.weights else []
    return [*EMBEDDED, *(["--prepared"] if job.prepared else []), *weights]


def _native(job: Job, settings: SegmentationSettings) -> list[str]:
    return [settings.binary]


def _docker(job: Job, settings: SegmentationSettings) -> list[str]:
    # docker reads the value as CSV: the quotes keep several devices in one field.
    devices = "all" if job.visible_gpus is None else f'"device={job.visible_gpus}"'
    gpu = ["--gpus", devices] if settings.gpu else []
    return [
        "docker",
        *run_options(job, _license(job)),
        *gpu,
        *settings.container_options,
        settings.image,
        settings.binary,
    ]


def _podman(job: Job, settings: SegmentationSettings) -> list[str]:
    devices = "all" if job.visible_gpus is None else job.visible_gpus
    gpus = [f"--device=nvidia.com/gpu={device}" for device in devices.split(",")]
    gpu = gpus if settings.gpu else []
    options = [*same_user(job), *gpu, *settings.container_options]
    image = [settings.image, settings.binary]
    return ["podman", *run_options(job, _license(job)), *options, *image]


def _apptainer(job: Job, settings: SegmentationSettings) -> list[str]:
    passed = _license(job)
    if settings.gpu and job.visible_gpus is not None:
        passed.append(f"CUDA_VISIBLE_DEVICES={job.visible_gpus}")
    return [
        *apptainer_options(job, passed),
        *(["--nv"] if settings.gpu else []),
        *settings.container_options,
        apptainer_image(settings.image),
        settings.binary,
    ]


def _license(job: Job) -> list[str]:
    return [f"FS_LICENSE={INPUT_MOUNT / LICENSE_NAME}"] if job.licensed else []


STARTS: dict[str, Callable[[Job, SegmentationSettings], list[str]]] = {
    "embedded": _embedded,
    "native": _native,
    "docker": _docker,
    "podman": _podman,
    "apptainer": _apptainer,
}
"""How the command of each backend starts, up to the arguments that all share."""
IN_A_CONTAINER = ("docker", "podman", "apptainer")
"""Backends that see the folders of a job under the names of their mounts."""
