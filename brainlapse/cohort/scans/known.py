"""What is known of raw scans from earlier runs, so that only new files are read and hashed."""

import json
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from brainlapse import runtime
from brainlapse.cohort import validation
from brainlapse.cohort.folders.state import file_stamp
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.validation import Content
from brainlapse.provenance import code_fingerprint

LIMITS = (
    "min_voxel_mm",
    "max_voxel_mm",
    "min_extent_mm",
    "max_extent_mm",
    "max_scan_mb",
)

Stamp = tuple[int, ...]


class KnownScans:
    """Contents of accepted files by path and stamp; a line of JSON each, kept beside the results.

    Parameters
    ----------
    path
        File that keeps them; None to forget. A damaged line is forgotten, nothing else.
    basis
        Text that names the checks; with another one nothing is known.
    """

    def __init__(self, path: str | Path | None, basis: str) -> None:
        self._path = None if path is None else Path(path)
        self._basis = basis
        self._known = {} if self._path is None else _read(self._path, basis)
        self._used: dict[str, tuple[Stamp, Content]] = {}
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Open the file, so that what is learnt outlives a kill."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8")
            self._file.write("\n" + json.dumps({"basis": self._basis}) + "\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; after success it holds the files of this run only."""
        if self._path is None or self._file is None:
            return
        self._file.close()
        if kind is None:
            with runtime.atomic_path(self._path) as temporary:
                lines = [json.dumps({"basis": self._basis})]
                lines += [_line(path, *found) for path, found in sorted(self._used.items())]
                temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def find(self, path: str, stamp: Stamp) -> Content | None:
        """Content of a file whose stamp is known."""
        known_stamp, content = self._known.get(path, (None, None))
        return content if content is not None and known_stamp == stamp else None

    def add(self, path: str, stamp: Stamp, content: Content) -> None:
        """Keep what a file holds."""
        if self._file is not None and self.find(path, stamp) is None:
            self._file.write(_line(path, stamp, content) + "\n")
            self._file.flush()
        self._used[path] = stamp, content


def check_basis(settings: CohortSettings) -> str:
    """Name the checks that a file passed: their code and their limits."""
    limits = {key: value for key, value in settings.model_dump().items() if key in LIMITS}
    return json.dumps([code_fingerprint(validation.__file__), limits], sort_keys=True)


def scan_stamp(path: str) -> Stamp:
    """Size, modification time [ns] and inode of a file."""
    return file_stamp(path)[:3]


def _line(path: str, stamp: Stamp, content: Content) -> str:
    return json.dumps({"path": path, "stamp": stamp, **asdict(content)})


def _read(path: Path, basis: str) -> dict[str, tuple[Stamp, Content]]:
    known: dict[str, tuple[Stamp, Content]] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return known
    current = None
    for line in lines:
        try:
            entry = json.loads(line)
            current = entry.get("basis", current)
            if "path" in entry and current == basis:
                content = Content(
                    str(entry["sha256"]), str(entry["image_sha256"]), tuple(entry["notes"])
                )
                known[entry["path"]] = tuple(entry["stamp"]), content
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return known
