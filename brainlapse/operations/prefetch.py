"""What a compute node without internet would miss, fetched or named, with checksums."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brainlapse.containers import STOPPED_BY_NAME
from brainlapse.operations.doctor import check_weights
from brainlapse.operations.findings import Finding
from brainlapse.operations.tools import check_image, programs_of

CHUNK_BYTES = 1 << 20


def prefetch(config: dict[str, Any]) -> Iterator[Finding]:
    """Fetch the container images of a configuration, look for its weights.

    Weights are no download of this program: those that are published come as pickles, which
    run code where they are read. docs/autoencoders.md says how to convert them.

    Parameters
    ----------
    config
        As `load_config` returns it.
    """
    programs = programs_of(config)
    for key, backend, _, image in programs:
        if backend != "native":
            yield fetch_image(key, backend, image)
    yield from check_weights(config["autoencoders"])
    for path in files_of(config):
        yield Finding("good", f"{path}: sha256 {sha256_of(path)}")
    if not any(backend != "native" for _, backend, _, _ in programs):
        yield Finding("good", "no container image is asked for: nothing to fetch")


def fetch_image(key: str, backend: str, image: str) -> Finding:
    """Pull an image where it isn't here yet."""
    found = check_image(key, backend, image)
    # apptainer's image is a file, whose name is the person's to choose
    if found.level == "good" or backend not in STOPPED_BY_NAME:
        return found
    if shutil.which(backend) is None:
        return Finding("fault", f"{key}: no program {backend}", f"install {backend}")
    done = subprocess.run([backend, "pull", image], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        what = f"{key}: {backend} pull {image} ended with {done.returncode}"
        return Finding("fault", what, "is there network here, and is the name right?")
    return check_image(key, backend, image)


def files_of(config: dict[str, Any]) -> Iterator[Path]:
    """Yield the files from outside that jobs of this configuration will read."""
    segmentation = config["segmentation"]
    named = [segmentation["weights"]]
    named += [image for _, backend, _, image in programs_of(config) if backend == "apptainer"]
    yield from (path for path in map(Path, filter(None, named)) if path.is_file())


def sha256_of(path: Path) -> str:
    """Hash a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
