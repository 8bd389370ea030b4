"""The files of a bundle: written with a manifest, read back only if they are what it says.

A bundle may come from anybody. Nothing is unpickled and nothing is unpacked to disk: only files
of known names are read, into memory, up to a size, and each must have the hash in the manifest.
"""

import contextlib
import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import IO, Any

from brainlapse.aging.plan import BROUGHT
from brainlapse.damage import is_machine_fault
from brainlapse.runtime import atomic_path

MANIFEST = "manifest.json"
FORMAT = 1
MEGABYTE = 2**20
LIMITS = {  # most bytes of each file; a bundle has these files and no others
    "model.safetensors": 8192 * MEGABYTE,
    "example.safetensors": 2048 * MEGABYTE,
    "components.safetensors": 2048 * MEGABYTE,
    "rates.safetensors": 4096 * MEGABYTE,
    "config.json": 4 * MEGABYTE,
    "contract.json": 4 * MEGABYTE,
    "history.tsv": 64 * MEGABYTE,
    "reconstruction_summary.tsv": 16 * MEGABYTE,
    "config.yaml": MEGABYTE,
    "README.md": MEGABYTE,
}
ZIP_ENDING = ".zip"
RATIO = 50
"""Most bytes that a byte of the bundle on disk may stand for: weights hardly compress."""
SMALL = 16 * MEGABYTE  # never too large, however well it compresses
MAX_NESTING = 40
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every zip member: equal content gives an equal file

ALL = (*LIMITS, MANIFEST)

Contents = dict[str, bytes]


class BundleError(ValueError):
    """A bundle can't be used; the message names it and says why."""


def write_files(target: str | Path, contents: Contents) -> None:
    """Write a bundle, a zip file where `target` ends in .zip, else a folder.

    Raises
    ------
    BundleError
        If the folder holds anything already.
    """
    assert set(contents) == set(LIMITS)
    target = Path(target)
    listed = {**contents, MANIFEST: describe(contents)}
    if target.suffix == ZIP_ENDING:
        with atomic_path(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for name, content in sorted(listed.items()):
                member = zipfile.ZipInfo(name, EPOCH)
                archive.writestr(member, content, zipfile.ZIP_DEFLATED)
        return
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        message = f"{target}: expected a new or empty folder, found something in it; name another"
        raise BundleError(message)
    for name, content in sorted(listed.items(), key=lambda item: item[0] == MANIFEST):
        with atomic_path(target / name) as temporary:
            temporary.write_bytes(content)


def describe(contents: Contents) -> bytes:
    """Return the manifest: size and SHA-256 of every file."""
    files = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    }
    manifest = {"bundle": "brainlapse autoencoder", "format": FORMAT, "files": files}
    return (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()


def read_files(source: str | Path) -> Contents:
    """Read the files of a bundle, checked against its manifest.

    Returns
    -------
    dict
        Name to content, the manifest included.

    Raises
    ------
    BundleError
        If a file is missing, unknown, too large, no plain file, or not what the manifest says.
    """
    source = Path(source)
    if source.is_dir():
        contents = _read_folder(source)
    elif source.is_file():
        contents = _read_zip(source)
    else:
        message = f"{source}: expected a bundle (a folder or a .zip file), found nothing there"
        raise BundleError(message)
    _check_manifest(source, contents)
    return contents


def parse_json(source: str | Path, name: str, content: bytes) -> dict[str, Any]:
    """Parse a JSON file of a bundle; BundleError if it holds no mapping, or one nested too deep."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise broken(source, name, "JSON", str(error)) from None
    if not isinstance(parsed, dict):
        raise broken(source, name, "a JSON object", type(parsed).__name__)
    if _nested_deeper(parsed, MAX_NESTING):
        raise broken(source, name, f"at most {MAX_NESTING} levels", "more")
    return parsed


def _nested_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_nested_deeper(one, levels - 1) for one in inner)


def check_members(source: str | Path) -> None:
    """Look only at the names of a bundle's files, not at what they hold (`BundleError`)."""
    source = Path(source)
    if source.is_dir():
        _list_folder(source)
        return
    if not source.is_file():
        message = f"{source}: expected a folder or .zip file, found nothing there"
        raise BundleError(message)
    with _opened(source) as archive:
        _list_zip(source, archive)


def listed_rates(source: str | Path) -> tuple[str, ...]:
    """Return the methods whose rates a bundle's card lists, without reading anything else.

    None for a bundle that can't be read: whoever loads it says why.
    """
    source, card = Path(source), "config.json"
    read = _read_folder if source.is_dir() else _read_zip
    try:
        listed = parse_json(source, card, read(source, {card})[card]).get("rates")
    except (BundleError, OSError):
        return ()
    return tuple(name for name in BROUGHT if isinstance(listed, list) and name in listed)


def _read_folder(source: Path, wanted: Container[str] = ALL) -> Contents:
    contents = {}
    for name, path in _list_folder(source).items():
        if name not in wanted:
            continue
        on_disk = 512 * path.stat().st_blocks  # of a file of holes: nothing
        with open(path, "rb") as file:
            contents[name] = _read_bounded(source, name, file, on_disk)
    return contents


def _list_folder(source: Path) -> dict[str, Path]:
    found = {path.name: path for path in source.iterdir()}
    _check_names(source, set(found))
    for name, path in found.items():
        if path.is_symlink() or not path.is_file():
            raise broken(source, name, "a plain file", "a link or folder")
    return found


def _read_zip(source: Path, wanted: Container[str] = ALL) -> Contents:
    on_disk = source.stat().st_size
    with _opened(source) as archive:
        contents = {}
        for name in _list_zip(source, archive):
            if name not in wanted:
                continue
            with archive.open(name) as file:
                contents[name] = _read_bounded(source, name, file, on_disk)
        return contents


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError, zlib.error) as error:
        if isinstance(error, BundleError) or is_machine_fault(error):
            raise
        message = f"{source}: expected a whole zip file, found one that can't be read ({error})"
        raise BundleError(message) from None


def _list_zip(source: Path, archive: zipfile.ZipFile) -> list[str]:
    members = archive.infolist()
    names = [member.filename for member in members]
    _check_names(source, set(names))
    if len(names) != len(set(names)):
        raise broken(source, max(names, key=names.count), "each file once", "it twice")
    for member in members:
        mode = member.external_attr >> 16
        if member.is_dir() or stat.S_ISLNK(mode):
            raise broken(source, member.filename, "a plain file", "a link or folder")
    return names


def _check_names(source: Path, names: set[str]) -> None:
    known = set(ALL)
    if strangers := sorted(names - known):
        message = (
            f"{source}: expected the files of a bundle only, found {strangers[0]!r}; "
            "ask for the bundle as it was exported"
        )
        raise BundleError(message)
    if missing := sorted(known - names):
        message = f"{source}: expected {missing[0]}, which is missing; this is no whole bundle"
        raise BundleError(message)


def _read_bounded(source: Path, name: str, file: IO[bytes], on_disk: int) -> bytes:
    limit = min(LIMITS.get(name, MEGABYTE), SMALL + RATIO * on_disk)
    content = file.read(limit + 1)  # what a zip claims about its sizes is not believed
    if len(content) > limit:
        raise broken(source, name, f"at most {limit} bytes", "more")
    return content


def _check_manifest(source: Path, contents: Contents) -> None:
    manifest = parse_json(source, MANIFEST, contents[MANIFEST])
    if manifest.get("format") != FORMAT:
        raise broken(source, MANIFEST, f"format {FORMAT}", repr(manifest.get("format")))
    listed = manifest.get("files")
    for name in sorted(LIMITS):
        entry = listed.get(name) if isinstance(listed, dict) else None
        expected = entry.get("sha256") if isinstance(entry, dict) else None
        found = hashlib.sha256(contents[name]).hexdigest()
        if expected != found:
            raise broken(source, name, f"SHA-256 {expected} of the manifest", found)


def broken(source: str | Path, name: str, expected: str, found: str) -> BundleError:
    """Say that a file of a bundle isn't what it should be."""
    return BundleError(
        f"{source}: {name}: expected {expected}, found {found}; the bundle is damaged or was "
        "changed: get it again from where it comes from"
    )
