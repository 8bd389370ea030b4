"""Whether the programs, images and devices are there that the configuration asks for."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from brainlapse.containers import STOPPED_BY_NAME
from brainlapse.operations.findings import Finding

ENGINE_TIMEOUT_S = 60
INSPECT = {"docker": ("image", "inspect"), "podman": ("image", "exists")}


def check_program(key: str, backend: str, binary: str, image: str) -> list[Finding]:
    """Look for a program that is installed here, or for an engine and its image.

    Parameters
    ----------
    key
        Of the configuration, for the remedy.
    backend
        native, docker, podman or apptainer.
    """
    if backend == "native":
        return [_find(key, binary), *_freesurfer(binary)]
    found = _find(f"{key}: {backend}", backend)
    return [found, check_image(key, backend, image)] if found.level == "good" else [found]


def _find(key: str, program: str) -> Finding:
    path = shutil.which(program)
    if path:
        return Finding("good", f"{key}: {path}")
    return Finding("fault", f"{key}: no program {program}", f"install {program}, or put it on PATH")


def _freesurfer(binary: str) -> list[Finding]:
    if Path(binary).name != "mri_synthseg":
        return []
    home = os.environ.get("FREESURFER_HOME")
    if not home:
        what = "FREESURFER_HOME is not set, which mri_synthseg needs"
        return [Finding("fault", what, "source FreeSurfer's SetUpFreeSurfer.sh first")]
    licences = [os.environ.get("FS_LICENSE"), f"{home}/license.txt", f"{home}/.license"]
    if any(path and Path(path).is_file() for path in licences):
        return [Finding("good", "FreeSurfer has a licence file")]
    what = f"no licence file of FreeSurfer in {home}"
    return [Finding("warning", what, "ask for one at FreeSurfer's site and set FS_LICENSE")]


def check_image(key: str, backend: str, image: str) -> Finding:
    """Look for a container image, without fetching it."""
    if backend in STOPPED_BY_NAME:
        command = [backend, *INSPECT[backend], image]
        found = _succeeds(command)
        remedy = f"{backend} pull {image}, on a machine with network; `snakemake prefetch` says how"
    else:
        found = Path(image).exists()
        remedy = (
            f"apptainer build IMAGE.sif docker://{image}, and name the .sif file in {key}.image"
        )
    what = f"{key}: image {image}"
    return Finding("good", what) if found else Finding("fault", f"{what} is not here", remedy)


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ENGINE_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def check_gpu() -> Finding:
    """Say which GPU torch sees here."""
    import torch  # takes seconds

    if not torch.cuda.is_available():
        what = "torch sees no GPU here: networks run on the CPU"
        return Finding("warning", what, "fine for s2d at 2.5 mm; `kl` and 1 mm want a GPU")
    free, total = torch.cuda.mem_get_info()
    name = torch.cuda.get_device_name()
    return Finding("good", f"{name}: {free / 2**30:.0f} of {total / 2**30:.0f} GiB free")


def programs_of(config: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return key, backend, binary and image of each program that the configuration starts."""
    found = []
    segmentation = config["segmentation"]
    if segmentation["backend"] != "embedded":
        names = ("backend", "binary", "image")
        found.append(("segmentation", *(segmentation[name] for name in names)))
    mask = config["preprocess"]["mask"]
    strip = mask["synthstrip"]
    # Installed here it is passed over where it is missing; an engine was asked for by name.
    if "synthstrip" in mask["ways"] and strip["backend"] != "native":
        found.append(
            ("preprocess.mask.synthstrip", strip["backend"], strip["binary"], strip["image"])
        )
    return found
