"""Command lines of ``mri_synthseg``, natively and in containers: argument lists, never a shell.

Each container sees two folders, the input read-only and the output, has no network, and runs as
the user who called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brainlapse.segmentation.settings import SegmentationSettings

SCAN_NAME = "scan.nii.gz"
LABELS_NAME = "labels.nii.gz"
TABLE_NAME = "volumes.csv"
INPUT_MOUNT = Path("/input")
OUTPUT_MOUNT = Path("/output")


@dataclass(frozen=True)
class Job:
    """One scan to segment.

    Attributes
    ----------
    input_folder
        Holds `SCAN_NAME`; absolute, without commas and colons.
    output_folder
        Receives `LABELS_NAME` and `TABLE_NAME`; likewise.
    threads
        CPU threads; volumes may differ in the last digits between numbers of threads.
    user_id, group_id
        Whose files the output shall be.
    name
        Of the container, by which it is stopped at the time limit.
    """

    input_folder: Path
    output_folder: Path
    threads: int
    user_id: int
    group_id: int
    name: str


def build_command(job: Job, settings: SegmentationSettings) -> list[str]:
    """Return the arguments that run ``mri_synthseg`` on one scan with the configured backend."""
    if settings.backend == "native":
        return _synthseg(job.input_folder, job.output_folder, job, settings)
    inside = _synthseg(INPUT_MOUNT, OUTPUT_MOUNT, job, settings)
    engines = {"docker": _docker, "podman": _podman, "apptainer": _apptainer}
    return [*engines[settings.backend](job, settings), settings.image, *inside]


def stop_command(job: Job, settings: SegmentationSettings) -> Sequence[str] | None:
    """Return the arguments that end a container which outlives its client; None where none can."""
    if settings.backend in ("docker", "podman"):
        return [settings.backend, "rm", "--force", job.name]
    return None


def _synthseg(source: Path, target: Path, job: Job, settings: SegmentationSettings) -> list[str]:
    arguments = [settings.binary, "--i", str(source / SCAN_NAME)]
    arguments += ["--o", str(target / LABELS_NAME), "--vol", str(target / TABLE_NAME)]
    arguments += ["--threads", str(job.threads), "--keepgeom"]
    if settings.fast:
        arguments.append("--fast")
    if not settings.gpu:
        arguments.append("--cpu")
    return arguments


def _docker(job: Job, settings: SegmentationSettings) -> list[str]:
    gpu = ["--gpus", "all"] if settings.gpu else []
    return ["docker", *_run_options(job), *gpu]


def _podman(job: Job, settings: SegmentationSettings) -> list[str]:
    gpu = ["--device", "nvidia.com/gpu=all"] if settings.gpu else []
    return ["podman", *_run_options(job), "--userns", "keep-id", *gpu]


def _run_options(job: Job) -> list[str]:
    return [
        *("run", "--rm", "--name", job.name, "--pull", "never", "--network", "none"),
        *("--user", f"{job.user_id}:{job.group_id}", "--env", "HOME=/tmp"),
        *("--mount", f"type=bind,source={job.input_folder},target={INPUT_MOUNT},readonly"),
        *("--mount", f"type=bind,source={job.output_folder},target={OUTPUT_MOUNT}"),
    ]


def _apptainer(job: Job, settings: SegmentationSettings) -> list[str]:
    return [
        *("apptainer", "exec", "--containall", "--cleanenv", "--net", "--network", "none"),
        *("--bind", f"{job.input_folder}:{INPUT_MOUNT}:ro"),
        *("--bind", f"{job.output_folder}:{OUTPUT_MOUNT}"),
        *(["--nv"] if settings.gpu else []),
    ]
