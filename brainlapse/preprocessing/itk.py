"""The compiled library of ANTs, without the Python package around it.

``import ants`` takes 1.5 s of CPU time (plots, statistics, learning), the library alone 0.04 s:
three jobs per scan use it, and each of them is a process of its own.
"""

import contextlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

LIBRARY_NAME = "ants.lib"  # as `import ants` calls it: the two share one copy
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
DESCRIPTION = re.compile(r"Description: (.*)")
WANT_OF_MEMORY = re.compile(
    r"allocat\w* memory|bad_alloc|out of memory|resource temporarily unavailable|"
    r"MemoryAllocationError",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Image:
    """An image in ITK's memory.

    Attributes
    ----------
    handle
        The library's own object.
    data
        float32 (Z, Y, X), read by ITK in place: it must live as long as the handle.
    """

    handle: Any
    data: np.ndarray

    @property
    def argument(self) -> str:
        """The image as a word of an ANTs command line."""
        return str(library().ptrstr(self.handle))

    def volume(self) -> np.ndarray:
        """Copy the voxels, float32 (X, Y, Z)."""
        content = np.asarray(library().toNumpy(self.handle)).view(np.float32)
        return content.reshape(self.data.shape).T.copy()


def library() -> ModuleType:
    """Return the compiled library, loaded at the first call.

    Raises
    ------
    ImportError
        If antspyx is not installed, or its compiled part lies elsewhere.
    """
    if LIBRARY_NAME in sys.modules:
        return sys.modules[LIBRARY_NAME]
    spec = importlib.util.spec_from_file_location(LIBRARY_NAME, _library_file())
    if spec is None or spec.loader is None:
        message = f"{_library_file()}: expected a Python extension; install antspyx again."
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[LIBRARY_NAME] = module
    return module


def _library_file() -> Path:
    package = importlib.util.find_spec("ants")
    folders = list(package.submodule_search_locations or []) if package else []
    candidates = [
        Path(folder, f"lib{suffix}") for folder in folders for suffix in EXTENSION_SUFFIXES
    ]
    found = [path for path in candidates if path.is_file()]
    if not found:
        message = "Expected antspyx with its compiled library, found none; run `make install`."
        raise ImportError(message)
    return found[0]


def to_itk(volume: np.ndarray, affine: np.ndarray) -> Image:
    """Copy a volume (X, Y, Z) with its RAS affine into an ITK image, which is LPS, float32."""
    data = np.array(volume.T, dtype=np.float32, order="C")
    itk = LPS @ affine
    spacing = np.linalg.norm(itk[:3, :3], axis=0)
    handle = library().fromNumpyF3(data, data.shape[::-1])
    library().setOrigin(handle, itk[:3, 3].tolist())
    library().setSpacing(handle, spacing.tolist())
    library().setDirection(handle, itk[:3, :3] / spacing)
    return Image(handle, data)


class ItkFailed(Exception):
    """A program of ANTs ended with an error; the message is ITK's description."""


def run(program: str, arguments: Sequence[str]) -> None:
    """Run a program of ANTs inside this process.

    Raises
    ------
    ItkFailed
        If it ends with an error.
    MemoryError
        If it could not have the memory (or the thread) that it asked for.
    """
    with _printed() as printed:
        try:
            failed = getattr(library(), program)(list(arguments))
        except RuntimeError as error:  # the way most exceptions of ITK arrive
            printed.append(str(error))
            failed = True
    if not failed:
        return
    text = "\n".join(printed)
    if WANT_OF_MEMORY.search(text):
        message = f"{program} could not have the memory it asked for; give the rule more `mem_mb`"
        raise MemoryError(message)
    described = DESCRIPTION.findall(text) or text.split("\n")
    raise ItkFailed(" ".join(described[-1].split()))


@contextlib.contextmanager
def _printed() -> Iterator[list[str]]:
    """Give what compiled code prints in this block, for some programs tell their errors so only."""
    lines: list[str] = []
    sys.stdout.flush()
    sys.stderr.flush()
    catcher = os.memfd_create("printed")
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in kept:
            os.dup2(catcher, number)
        yield lines
    finally:
        for number, before in kept.items():
            os.dup2(before, number)
            os.close(before)
        with open(catcher, "rb") as file:
            file.seek(0)
            lines.insert(0, file.read().decode(errors="replace"))
