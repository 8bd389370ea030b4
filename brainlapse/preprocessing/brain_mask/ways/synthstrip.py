"""SynthStrip as the brain extraction: ``mri_synthstrip``, installed here or in a container.

Hoopes et al. (2022), NeuroImage 260:119474. The program is called with a list of arguments,
never through a shell, without network, and sees nothing but the scan.
"""

import os
import shutil
import tempfile
import uuid
from pathlib import Path

import numpy as np

from brainlapse import runtime
from brainlapse.containers import (
    INPUT_MOUNT,
    OUTPUT_MOUNT,
    STOPPED_BY_NAME,
    Box,
    apptainer_image,
    apptainer_options,
    run_options,
    same_user,
)
from brainlapse.damage import DamagedFile
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.brain_mask.raw_head import RawHead, WayMissing
from brainlapse.preprocessing.brain_mask.settings import SynthStripSettings
from brainlapse.programs import Program, ProgramFailed, last_lines, run_program

HEAD_NAME = "head.nii.gz"
MASK_NAME = "mask.nii.gz"


def find_with_synthstrip(head: RawHead) -> np.ndarray:
    """Run SynthStrip on the scan; its mask, bool (X, Y, Z).

    Raises
    ------
    WayMissing
        If the program is to run here and is not installed.
    RuntimeError
        If the program cannot be run, takes too long, fails or gives no mask: a fault of the
        installation, which must not quarantine scans.
    """
    settings = head.settings.synthstrip
    if settings.backend == "native" and not shutil.which(settings.binary):
        message = f"{settings.binary} is not installed; look at `preprocess.mask.synthstrip`"
        raise WayMissing(message)
    with tempfile.TemporaryDirectory() as folder:
        box = _prepare(Path(folder).resolve(), head.volume, head.affine)
        output_file = Path(folder, "output.txt")
        program = Program(
            command=strip_command(box, settings),
            folder=Path(folder).resolve(),
            partial=box.output_folder,
            limit_s=settings.timeout_s,
            stop=stop_command(box, settings),
        )
        try:
            run_program(program, output_file)
        except ProgramFailed as error:
            message = (
                f"SynthStrip: {error}; look at `preprocess.mask.synthstrip` in the config.\n"
                f"{last_lines(output_file)}"
            )
            raise RuntimeError(message) from error
        return _read_mask(box.output_folder / MASK_NAME, head.volume.shape)


def strip_command(box: Box, settings: SynthStripSettings) -> list[str]:
    """Return the arguments that write the mask of the box's head."""
    if settings.backend == "native":
        return [settings.binary, *_arguments(box.input_folder, box.output_folder)]
    inside = _arguments(INPUT_MOUNT, OUTPUT_MOUNT)
    if settings.backend == "apptainer":
        image = apptainer_image(settings.image)
        return [
            *apptainer_options(box),
            *settings.container_options,
            image,
            settings.binary,
            *inside,
        ]
    user = same_user(box) if settings.backend == "podman" else []
    # The image may start another program by itself.
    start = [*user, "--entrypoint", settings.binary, *settings.container_options, settings.image]
    return [settings.backend, *run_options(box), *start, *inside]


def stop_command(box: Box, settings: SynthStripSettings) -> list[str]:
    """Return the arguments that end a container which outlives its client; none for others."""
    if settings.backend in STOPPED_BY_NAME:
        return [settings.backend, "rm", "--force", box.name]
    return []


def _arguments(source: Path, target: Path) -> list[str]:
    return ["-i", str(source / HEAD_NAME), "-m", str(target / MASK_NAME)]


def _prepare(folder: Path, head: np.ndarray, affine: np.ndarray) -> Box:
    for name in ("input", "output"):
        (folder / name).mkdir()
    save_volume(folder / "input" / HEAD_NAME, head.astype(np.float32), affine)
    return Box(
        input_folder=folder / "input",
        output_folder=folder / "output",
        user_id=os.getuid(),
        group_id=os.getgid(),
        name=f"brainlapse-{uuid.uuid4().hex[:12]}",
        owner=runtime.process_token(),
    )


def _read_mask(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    if not path.is_file():
        message = "SynthStrip ended without an error, but wrote no mask; look at its installation"
        raise RuntimeError(message)
    try:
        mask, _ = load_volume(path, shape)
    except DamagedFile as error:
        message = f"SynthStrip wrote a mask that can't be used ({error}); look at its version"
        raise RuntimeError(message) from error
    return mask > 0
