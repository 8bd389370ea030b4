"""Whether the files, folders and programs are there that a configuration names.

Works on plain mappings, also on those that the typed models refuse: all faults shall be told at
once.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from brainlapse.bundle.files import BundleError, check_members

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NAME_BYTES = 255
PATHS = (  # key, with * for any name
    "output",
    "datasets.*.bids",
    "preprocess.quality.review",
    "predict.requests",
    "aging.external.*.folder",
    "segmentation.weights",
    "segmenter.label_maps",
    "autoencoders.*.bundle",
    "autoencoders.*.start",
    "autoencoders.*.loss.perceptual.folder",
)
ENGINES = ("docker", "podman", "apptainer")
SCHEDULERS = ("sbatch", "qsub", "bsub")
NIFTI = (".nii", ".nii.gz")


def place_faults(raw: dict[str, Any]) -> list[str]:
    """List the faults of all places, each in one line with its key.

    Parameters
    ----------
    raw
        The configuration, with every default, checked or not.
    """
    found: list[str] = []
    for pattern in PATHS:
        for key, value in _values(raw, pattern.split(".")):
            if isinstance(value, str) and (fault := _unusable(value)):
                found.append(f"{key}: {fault}")
    checks = (
        *(_output, _datasets, _models, _weights, _review, _requests),
        *(_external, _label_maps, _programs),
    )
    return found or [line for check in checks for line in check(raw)]


def _values(node: Any, names: list[str], key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield full keys and values that a pattern of names reaches."""
    if not names:
        yield key.removeprefix("."), node
    elif isinstance(node, dict):
        for name in node if names[0] == "*" else names[:1]:
            if name in node:
                yield from _values(node[name], names[1:], f"{key}.{name}")


def _value(raw: dict[str, Any], key: str) -> Any:
    return next((value for _, value in _values(raw, key.split("."))), None)


def _unusable(path: str) -> str | None:
    if CONTROL.search(path):
        return f"expected a path without line breaks and control characters, found {path!r}"
    if any(len(os.fsencode(part)) > NAME_BYTES for part in Path(path).parts):
        return f"expected names of at most {NAME_BYTES} bytes, found {path[:60]!r}..."
    return None


def _output(raw: dict[str, Any]) -> Iterator[str]:
    output = raw.get("output")
    if not isinstance(output, str) or not output:
        return
    folder = Path(output)
    here = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not here.is_dir():
        yield f"output: {output}: expected a folder, found {_kind(here)} at {here}; name another"
        return
    if (folder / "Snakefile").exists():
        yield f"output: {output}: the folder of a workflow, whose files would be replaced"
    if not os.access(here, os.W_OK | os.X_OK):
        yield f"output: {output}: {here} can't be written; name another, or make it writable"
    for key, bids in _values(raw, ["datasets", "*", "bids"]):
        if isinstance(bids, str) and Path(bids).is_dir():
            inside = _inside(folder, Path(bids))
            if inside is not None and inside.parts[:1] != ("derivatives",):
                yield (
                    f"output: {output}: lies in the data set of {key} ({bids}); name a folder "
                    "outside of it, or in its derivatives/"
                )


def _inside(path: Path, folder: Path) -> Path | None:
    real, parent = path.resolve(), folder.resolve()
    return real.relative_to(parent) if real.is_relative_to(parent) else None


def _datasets(raw: dict[str, Any]) -> Iterator[str]:
    for key, bids in _values(raw, ["datasets", "*", "bids"]):
        if not isinstance(bids, str):
            continue
        try:
            with os.scandir(bids) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            found = _kind(Path(bids)) if os.path.lexists(bids) else "nothing there"
            found = f"{found} ({error.strerror})" if isinstance(error, PermissionError) else found
            yield f"{key}: {bids}: expected a BIDS folder, found {found}"
            continue
        if not any(name.startswith("sub-") for name in names):
            seen = f"{sorted(names)[0]!r}" if names else "an empty folder"
            yield f"{key}: {bids}: expected a BIDS folder with sub-* in it, found {seen}"


def _models(raw: dict[str, Any]) -> Iterator[str]:
    for key, bundle in _values(raw, ["autoencoders", "*", "bundle"]):
        if isinstance(bundle, str):
            try:
                check_members(bundle)
            except (BundleError, OSError) as error:
                yield f"{key}: {error}"


def _weights(raw: dict[str, Any]) -> Iterator[str]:
    weights = _value(raw, "segmentation.weights")
    if not isinstance(weights, str) or not weights:
        return
    if not Path(weights).is_file():
        found = _kind(Path(weights)) if os.path.lexists(weights) else "nothing there"
        yield f"segmentation.weights: {weights}: expected a safetensors file, found {found}"
        return
    try:
        with safe_open(weights, "np"):
            pass
    except (SafetensorError, OSError) as error:
        yield f"segmentation.weights: {weights}: expected a safetensors file, found none ({error})"


def _review(raw: dict[str, Any]) -> Iterator[str]:
    review = _value(raw, "preprocess.quality.review")
    if isinstance(review, str) and not Path(review).is_file():
        yield f"preprocess.quality.review: expected a table at {review}, found none"


def _requests(raw: dict[str, Any]) -> Iterator[str]:
    requests = _value(raw, "predict.requests")
    if isinstance(requests, str) and not Path(requests).is_file():
        yield f"predict.requests: expected a table at {requests}, found none"


def _external(raw: dict[str, Any]) -> Iterator[str]:
    for key, folder in _values(raw, ["aging", "external", "*", "folder"]):
        if isinstance(folder, str) and not Path(folder).is_dir():
            found = _kind(Path(folder)) if os.path.lexists(folder) else "nothing there"
            yield f"{key}: {folder}: expected a folder of forecasts, found {found}"


def _label_maps(raw: dict[str, Any]) -> Iterator[str]:
    maps = _value(raw, "segmenter.label_maps")
    if not isinstance(maps, str):
        return
    folder = Path(maps)
    if not folder.is_dir() or not any(path.name.endswith(NIFTI) for path in folder.iterdir()):
        yield f"segmenter.label_maps: {maps}: expected a folder of NIfTI files, found none"


def _programs(raw: dict[str, Any]) -> Iterator[str]:
    if any(map(shutil.which, SCHEDULERS)):
        return  # jobs run elsewhere, where there may be more programs than here
    keys = ["segmentation"]
    ways = list(_value(raw, "preprocess.mask.ways") or ("synthstrip", "others"))
    engine = _value(raw, "preprocess.mask.synthstrip.backend") in ENGINES
    # Beside other ways, a program that would be installed here is passed over.
    if "synthstrip" in ways and (engine or len(ways) == 1):
        keys.append("preprocess.mask.synthstrip")
    for key in keys:
        settings = _value(raw, key)
        if isinstance(settings, dict):
            yield from _program(key, settings)


def _program(key: str, settings: dict[str, Any]) -> Iterator[str]:
    backend, image = settings.get("backend"), settings.get("image")
    name, program = "backend", backend if backend in ENGINES else None
    if backend == "native":
        name, program = "binary", settings.get("binary")
    if isinstance(program, str) and not shutil.which(program):
        yield f"{key}.{name}: no program {program!r} is here; install it, or change {key}.backend"
    file = isinstance(image, str) and image.endswith(".sif")
    if backend == "apptainer" and file and not Path(str(image)).is_file():
        yield f"{key}.image: {image}: expected an image file, found none"


def _kind(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"a link that leads nowhere ({error.strerror})"
    return "a folder" if stat.S_ISDIR(mode) else "a file" if stat.S_ISREG(mode) else "no folder"
