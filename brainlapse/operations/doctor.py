"""Everything that a run needs, looked at before it starts."""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.bids import list_dataset
from brainlapse.networks.settings import PERCEPTUAL_FILES
from brainlapse.operations.cluster import check_slurm
from brainlapse.operations.findings import Finding
from brainlapse.operations.storage import bytes_needed, check_home, check_output, check_space
from brainlapse.operations.tools import check_gpu, check_program, programs_of


def examine(config: dict[str, Any], profile: Path) -> Iterator[Finding]:
    """Look at folders, programs, devices and the cluster, one after the other.

    Parameters
    ----------
    config
        As `load_config` returns it.
    profile
        `config.yaml` of the SLURM profile.
    """
    output = Path(config["output"])
    yield from check_output(output)
    yield check_home()
    yield from check_scans(config, output)
    for program in programs_of(config):
        yield from check_program(*program)
    yield from check_weights(config["autoencoders"])
    yield check_gpu()
    yield from check_slurm(profile)


def check_scans(config: dict[str, Any], output: Path) -> Iterator[Finding]:
    """Count the raw scans of each data set, and estimate what the run leaves on the disk."""
    raw_bytes = scans = fit_scans = 0
    for name, dataset in config["datasets"].items():
        if not dataset["bids"]:
            continue
        try:
            found = list_dataset(dataset["bids"]).scans
        except CohortError as error:
            yield Finding("fault", f"datasets.{name}: {error}", f"correct datasets.{name}.bids")
            continue
        yield Finding("good", f"datasets.{name}: {len(found)} T1w files")
        scans += len(found)
        fit_scans += len(found) if dataset["role"] == "fit" else 0
        raw_bytes += sum(size_of(Path(scan.path)) for scan in found)
    voxels = prod(config["space"]["shape"])
    needed = bytes_needed(raw_bytes, scans, fit_scans, voxels, len(config["autoencoders"]))
    yield check_space(output, needed)


def size_of(path: Path) -> int:
    """Size of a file [bytes], 0 where it can't be looked at: `cohort` will say why."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_weights(models: dict[str, Any]) -> Iterator[Finding]:
    """Look for the weights of perceptual networks that don't travel with the package."""
    for name, model in models.items():
        perceptual = model["loss"]["perceptual"]
        file = PERCEPTUAL_FILES.get(perceptual["network"])
        if model["bundle"] or file is None:
            continue
        path = Path(perceptual["folder"] or ".") / file
        if path.is_file():
            yield Finding("good", f"autoencoders.{name}: {path}")
        else:
            what = f"autoencoders.{name}: no weights at {path}"
            yield Finding("fault", what, "docs/autoencoders.md says where they come from")
