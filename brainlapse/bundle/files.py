"""The files of a bundle: written with a manifest, read back only if they are what it says.

A bundle may come from anybody. Nothing is unpickled and nothing is unpacked to disk: only files
of known names are read, into memory, up to a size, and each must have the hash in the manifest.
"""

import hashlib
import json
import stat
import zipfile
from pathlib import Path
from typing import IO, Any

from brainlapse.runtime import atomic_path

MANIFEST = "manifest.json"
FORMAT = 1
MEGABYTE = 2**20
LIMITS = {  # most bytes of each file; a bundle has these files and no others
    "model.safetensors": 8192 * MEGABYTE,
    "example.safetensors": 2048 * MEGABYTE,
    "config.json": 4 * MEGABYTE,
    "contract.json": 4 * MEGABYTE,
    "history.tsv": 64 * MEGABYTE,
    "reconstruction_summary.tsv": 16 * MEGABYTE,
    "config.yaml": MEGABYTE,
    "README.md": MEGABYTE,
}
ZIP_ENDING = ".zip"
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every zip member: equal content gives an equal file

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
    """Parse a JSON file of a bundle; BundleError if it holds no mapping."""
    try:
        parsed = json.loads(content)
    except ValueError as error:
        raise _broken(source, name, "JSON", str(error)) from None
    if not isinstance(parsed, dict):
        raise _broken(source, name, "a JSON object", type(parsed).__name__)
    return parsed


def _read_folder(source: Path) -> Contents:
    found = {path.name: path for path in source.iterdir()}
    _check_names(source, set(found))
    for name, path in found.items():
        if path.is_symlink() or not path.is_file():
            raise _broken(source, name, "a plain file", "a link or folder")
    contents = {}
    for name, path in found.items():
        with open(path, "rb") as file:
            contents[name] = _read_bounded(source, name, file)
    return contents


def _read_zip(source: Path) -> Contents:
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            _check_names(source, set(names))
            if len(names) != len(set(names)):
                raise _broken(source, max(names, key=names.count), "each file once", "it twice")
            for member in members:
                mode = member.external_attr >> 16
                if member.is_dir() or stat.S_ISLNK(mode):
                    raise _broken(source, member.filename, "a plain file", "a link or folder")
            contents = {}
            for name in names:
                with archive.open(name) as file:
                    contents[name] = _read_bounded(source, name, file)
            return contents
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        message = f"{source}: expected a whole zip file, found one that can't be read ({error})"
        raise BundleError(message) from None


def _check_names(source: Path, names: set[str]) -> None:
    known = {*LIMITS, MANIFEST}
    if strangers := sorted(names - known):
        message = (
            f"{source}: expected the files of a bundle only, found {strangers[0]!r}; "
            "ask for the bundle as it was exported"
        )
        raise BundleError(message)
    if missing := sorted(known - names):
        message = f"{source}: expected {missing[0]}, which is missing; this is no whole bundle"
        raise BundleError(message)


def _read_bounded(source: Path, name: str, file: IO[bytes]) -> bytes:
    limit = LIMITS.get(name, MEGABYTE)
    content = file.read(limit + 1)  # what a zip claims about its sizes is not believed
    if len(content) > limit:
        raise _broken(source, name, f"at most {limit} bytes", "more")
    return content


def _check_manifest(source: Path, contents: Contents) -> None:
    manifest = parse_json(source, MANIFEST, contents[MANIFEST])
    if manifest.get("format") != FORMAT:
        raise _broken(source, MANIFEST, f"format {FORMAT}", repr(manifest.get("format")))
    listed = manifest.get("files")
    for name in sorted(LIMITS):
        entry = listed.get(name) if isinstance(listed, dict) else None
        expected = entry.get("sha256") if isinstance(entry, dict) else None
        found = hashlib.sha256(contents[name]).hexdigest()
        if expected != found:
            raise _broken(source, name, f"SHA-256 {expected} of the manifest", found)


def _broken(source: str | Path, name: str, expected: str, found: str) -> BundleError:
    return BundleError(
        f"{source}: {name}: expected {expected}, found {found}; the bundle is damaged or was "
        "changed: get it again from where it comes from"
    )
