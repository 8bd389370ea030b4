"""Hostile data sets: entries that no reader likes, odd headers, tables that people make.

Each entry may cost itself only. What is known of a file that is accepted has to come out: the
voxels of a header whose free text was changed, the ages of a table in another dialect.
"""

import contextlib
import gzip
import os
import random
import shutil
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.faults.reference import Reference
from benchmarks.faults.runs import Place
from benchmarks.faults.trials import STUCK, SURVIVED, UNCLEAR, WRONG, Trial
from brainlapse.cohort.scans.hashes import hash_volume
from brainlapse.cohort.settings import CohortSettings
from brainlapse.cohort.validation import check_scan
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import read_table

SETTINGS = CohortSettings(max_voxel_mm=16, max_scan_mb=50)
SHAPE, VOXEL_MM = (10, 11, 12), 15.0
GOOD = ("sub-good1", "sub-good2", "sub-good3")
HEADER_BYTES, SECONDS = 352, 20
HEADERS_PER_TRIAL = 50
FREE_TEXT = ((14, 32), (148, 252), (328, 344))  # db_name, descrip and aux_file, intent_name
ODD_NUMBERS = {
    "<f": [0.0, -1.0, 1.0000005, 1e-45, 3e38, float("nan"), float("inf"), float("-inf"), 32768.5],
    "<h": [0, -1, 1, 2, 7, 8, 99, 255, 512, 2047, 32767, -32768],
    "<i": [0, -1, 1, 348, 540, 2**31 - 1, -(2**31)],
}


def image(seed: int, shape: tuple[int, ...] = SHAPE) -> nib.Nifti1Image:
    """Return a small volume of random voxels."""
    voxels = np.random.default_rng(seed).integers(0, 1000, shape).astype(np.int16)
    made = nib.Nifti1Image(voxels, np.diag([VOXEL_MM] * 3 + [1]))
    made.set_qform(made.affine, 1)
    return made


def packed(seed: int) -> bytes:
    """Return the same as the bytes of a compressed file."""
    return gzip.compress(image(seed).to_bytes(), 1)


def special(path: Path) -> None:
    """Bind a socket; its path may not be long."""
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(path.parent):
        server.bind(path.name)


def closed_folder(path: Path) -> None:
    """Link into a folder that may not be entered."""
    folder = path.parents[1] / "closed"
    folder.mkdir()
    (folder / path.name).write_bytes(packed(1))
    path.symlink_to(folder / path.name)
    folder.chmod(0)


def unreadable(path: Path) -> None:
    """Write a scan that may not be read."""
    path.write_bytes(packed(2))
    path.chmod(0)


def two_links(path: Path) -> None:
    """Let two links lead to each other."""
    path.with_name("other").symlink_to(path.name)
    path.symlink_to("other")


def loop_folder(path: Path) -> None:
    """Replace the folder by a link to itself."""
    path.parent.rmdir()
    path.parent.symlink_to(path.parent.name)


ENTRIES: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": special,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "random device": lambda path: path.symlink_to("/dev/urandom"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "process memory": lambda path: path.symlink_to("/proc/self/mem"),
    "gzip bomb": lambda path: path.write_bytes(
        gzip.compress(image(3).to_bytes() + bytes(10**8), 1)
    ),
    "holes": lambda path: (path.write_bytes(image(4).to_bytes()), os.truncate(path, 10**11)),
    "link to itself": lambda path: path.symlink_to(path.name),
    "links to each other": two_links,
    "folder that is a link to itself": loop_folder,
    "link to nothing": lambda path: path.symlink_to("/nowhere/T1w.nii.gz"),
    "link to a folder": lambda path: path.symlink_to("/"),
    "folder": Path.mkdir,
    "closed folder": closed_folder,
    "unreadable": unreadable,
    "cut": lambda path: path.write_bytes(packed(5)[:999]),
    "emptied": Path.touch,
    "web page": lambda path: path.write_text("<!DOCTYPE html><html></html>"),
    "zeros": lambda path: path.write_bytes(bytes(5000)),
    "4D": lambda path: nib.save(image(6, (*SHAPE, 2)), path),
    "half a download": lambda path: path.with_suffix(".gz.part").write_bytes(packed(7)),
}
NAMES = {
    "braces": b"sub-{x}",
    "not UTF-8": b"sub-caf\xe9",
    "quotes": b"sub-it's\"",
    "blank": b"sub-a b",
    "line break": b"sub-a\nb",
    "tab": b"sub-a\tb",
    "dollar": b"sub-$(id)",
    "long": b"sub-" + b"l" * 200,
}


def entries(reference: Reference, folder: Path, rng: random.Random, trials: int) -> Iterator[Trial]:
    """Run ``cohort`` on a data set with all odd entries and odd names."""
    folder.mkdir(parents=True, exist_ok=True)
    bids = folder / f"data {rng.randrange(10**6)} of {{lab}}"
    planted = plant(bids)
    settings = {
        "datasets": {"d": {"bids": str(bids)}},
        "cohort": {
            **SETTINGS.model_dump(include={"max_voxel_mm", "max_scan_mb"}),
            "validation_fraction": 0.5,
            "test_fraction": 0,
        },
    }
    place = Place(folder / "run", settings, ("cohort",))
    done = place.run()
    again = place.run()
    for fault, subject in planted.items():
        yield Trial("entry", fault, *_of_entry(place, subject, done, again))
    for path in bids.rglob("closed"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def plant(bids: Path) -> dict[str, str]:
    """Write three good scans, one of them of tomorrow, and one subject for each odd entry."""
    bids.mkdir()
    (bids / "dataset_description.json").write_text('{"Name": "d", "BIDSVersion": "1.9.0"}')
    for seed, name in enumerate(GOOD):
        nib.save(image(100 + seed), place_scan(bids, name))
    tomorrow = time.time() + 86400
    os.utime(place_scan(bids, GOOD[0]), (tomorrow, tomorrow))
    rows = [f"{name}\t{age}" for name, age in zip(GOOD, (30, 40, 50), strict=True)]
    (bids / "participants.tsv").write_text("\n".join(["participant_id\tage", *rows]) + "\n")
    planted = {}
    for number, (fault, make) in enumerate(ENTRIES.items()):
        if os.geteuid() or fault not in (
            "closed folder",
            "unreadable",
        ):  # nothing is closed to root
            planted[fault] = f"sub-{number:02d}"
            make(place_scan(bids, planted[fault]))
    for fault, name in NAMES.items():
        at = os.fsencode(bids) + b"/" + name + b"/anat"
        Path(os.fsdecode(at)).mkdir(parents=True)
        Path(os.fsdecode(at + b"/" + name + b"_T1w.nii.gz")).write_bytes(packed(200 + len(planted)))
        planted[fault] = ""
    return planted


def place_scan(bids: Path, subject: str) -> Path:
    """Path of the only scan of a subject."""
    path = bids / subject / "anat" / f"{subject}_T1w.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _of_entry(place: Place, subject: str, done, again) -> tuple[str, str]:
    if done.code is None or again.code is None:
        return STUCK, "hung"
    if done.code or again.code:
        return STUCK, (done if done.code else again).said[-600:].replace("\n", " / ")
    if "Nothing to be done" not in again.said:
        return STUCK, "the same command has something to do again"
    scans = read_table(place.results / "cohort/scans.tsv").set_index("subject")
    if [scans["age_years"].get(name) for name in GOOD] != [30, 40, 50]:
        return WRONG, "a good scan is lost, or has another age"
    rejected = read_table(place.results / "cohort/rejected.tsv")
    if subject in scans.index:
        return WRONG, "accepted"
    if subject and subject not in set(rejected["subject"]):
        return WRONG, "nobody says that it is left out"
    return SURVIVED, ""


def headers(reference: Reference, folder: Path, rng: random.Random, trials: int) -> Iterator[Trial]:
    """Change header after header at random."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sub-01_T1w.nii.gz"
    good = image(rng.randrange(10**6)).to_bytes()
    path.write_bytes(gzip.compress(good, 1))
    expected = check_scan(str(path), SETTINGS).sha256
    for _ in range(trials * HEADERS_PER_TRIAL):
        odd, fault, harmless = odd_header(good, rng)
        path.write_bytes(gzip.compress(odd, 1) if rng.random() < 0.5 else odd)
        yield Trial("header", fault, *of_header(path, expected if harmless else None))
    shutil.rmtree(folder)


def odd_header(good: bytes, rng: random.Random) -> tuple[bytes, str, bool]:
    """Return a changed file, what was changed, and whether this may not matter."""
    odd = bytearray(good)
    if rng.random() < 0.1:
        low, high = rng.choice(FREE_TEXT)
        at = rng.randrange(low, high)
        odd[at] = rng.randrange(256)
        return bytes(odd), f"free text at byte {at}", True
    changes = []
    for _ in range(rng.choice((1, 1, 2, 5))):
        kind = rng.choice(list(ODD_NUMBERS))
        size = struct.calcsize(kind)
        at = rng.randrange(0, HEADER_BYTES - size, size)
        value = rng.choice(ODD_NUMBERS[kind])
        struct.pack_into(kind, odd, at, value)
        changes.append(f"{value} at byte {at}")
    return bytes(odd), ", ".join(changes), False


def of_header(path: Path, expected: str | None) -> tuple[str, str]:
    """Read a scan; the hash of its voxels is known where only free text was changed."""
    try:
        with time_limit(SECONDS):
            found = check_scan(str(path), SETTINGS)
    except ScanRejected as error:
        return (WRONG, f"rejected: {error}") if expected else (SURVIVED, "")
    except TimeoutError:
        return STUCK, f"more than {SECONDS} s"
    except Exception as error:
        return UNCLEAR, repr(error)
    if expected and found.sha256 != expected:
        return WRONG, "other voxels"
    return (SURVIVED, "") if expected or found.notes or _as_nibabel(path, found) else (
        WRONG, "other voxels than nibabel reads, without a note",
    )  # fmt: skip


def _as_nibabel(path: Path, found) -> bool:
    """Compare with what nibabel alone makes of the file, where it makes something of it."""
    content = path.read_bytes()
    try:
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        voxels = nib.Nifti1Image.from_bytes(content).get_fdata(dtype=np.float32)
    except Exception:
        return True
    return found.sha256 == hash_volume(voxels.reshape(voxels.shape[:3]))


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` where the block lasts longer."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


PARTS: dict[str, Callable] = {"entry": entries, "header": headers}
