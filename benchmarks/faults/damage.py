"""Damaged and deleted intermediates: between two runs, and while a run goes on.

Between two runs, what was changed has to be made again. While a run goes on Snakemake has decided
already that a file is whole, so the job that reads it has to refuse it: time stamps alone then
decide what runs, the damage keeps them, and the reading rule is forced.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.reference import Reference, kind_of
from benchmarks.faults.runs import Place
from benchmarks.faults.trials import STUCK, SURVIVED, UNCLEAR, WRONG, Trial

PAGE = b"<!DOCTYPE html>\n<html><body>Disk quota exceeded</body></html>\n"
AT_ONCE = 10
"""Files that are damaged before one run."""
CONTENT = {
    "cut": lambda content, rng: content[: int(rng.uniform(0.1, 0.95) * len(content))],
    "last byte lost": lambda content, rng: content[:-1],
    "emptied": lambda content, rng: b"",
    "a web page": lambda content, rng: PAGE,
    "zeros": lambda content, rng: bytes(len(content)),
    "zeros at the end": lambda content, rng: (
        content[: len(content) // 2] + bytes(len(content) - len(content) // 2)
    ),
    "a byte turned": lambda content, rng: turned(content, rng.randrange(len(content))),
}
FOREIGN, DELETED = "another file's content", "deleted"
DAMAGES = (*CONTENT, FOREIGN, DELETED)
SEEN_BY_READERS = [how for how in CONTENT if how != "a byte turned"]
"""Not seen: another number, or another scan's file, of the same size and time stamp."""


def turned(content: bytes, at: int) -> bytes:
    """Turn all bits of a byte."""
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


def damage(path: Path, how: str, others: list[Path], rng: random.Random, keep_time: bool) -> str:
    """Damage a result, or one file of a folder of results; return which file."""
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
        path = rng.choice(inside)
    stat = path.stat()
    if how == DELETED:
        path.unlink()
        return path.name
    if how == FOREIGN:
        alike = [p for p in others if p.is_file() and p != path and p.suffix == path.suffix]
        shutil.copyfile(rng.choice(alike), path) if alike else path.write_bytes(PAGE)
    else:
        content = path.read_bytes()
        path.write_bytes(CONTENT[how](content, rng) if content else PAGE)
    if keep_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return path.name


def between_runs(
    reference: Reference, folder: Path, rng: random.Random, trials: int
) -> Iterator[Trial]:
    """Damage one file of each kind, several at once, and run the same command again."""
    kinds = list(reference.kinds().items())
    rng.shuffle(kinds)
    outputs = list(reference.records)
    for start in range(0, min(trials, len(kinds)), AT_ONCE):
        place = reference.copy_to(folder / f"damage{start}")
        others = [place.results / name for name in outputs]
        faults, deleted = {}, []
        for kind, names in kinds[start : min(start + AT_ONCE, trials)]:
            name, how = rng.choice(names), rng.choice(DAMAGES)
            which = damage(place.results / name, how, others, rng, keep_time=False)
            faults[name] = f"{kind}: {which}, {how}"
            if how == DELETED:
                deleted.append(name)
        yield from _of_files("damage", faults, *reference.judge(place, deleted))
        shutil.rmtree(place.folder)


def _of_files(part: str, faults: dict[str, str], verdict: str, detail: str) -> Iterator[Trial]:
    for name, fault in faults.items():
        own = verdict != WRONG or name in detail
        yield Trial(part, fault, verdict if own else SURVIVED, detail if own else "")
    if verdict == WRONG and not any(name in detail for name in faults):
        yield Trial(part, f"all of: {', '.join(faults)}", WRONG, detail)


def while_running(
    reference: Reference, folder: Path, rng: random.Random, trials: int
) -> Iterator[Trial]:
    """Damage what one rule reads, behind Snakemake's back, and let the rule read it."""
    readers = list(reference.readers().items())
    rng.shuffle(readers)
    for rule, pairs in readers[:trials]:
        place = reference.copy_to(folder / f"read_{rule}")
        name, output = rng.choice(_of_one_kind(pairs, rng))
        how = rng.choice(SEEN_BY_READERS)
        which = damage(place.results / name, how, [], rng, keep_time=True)
        yield _of_reader(reference, place, output, f"{rule} reads {name}: {which}, {how}", which)
        shutil.rmtree(place.folder)


def _of_one_kind(pairs: list[tuple[str, str]], rng: random.Random) -> list[tuple[str, str]]:
    """Choose a kind of input first: a rule reads more tables of scans than masks."""
    chosen = rng.choice(sorted({kind_of(name) for name, _ in pairs}))
    return [pair for pair in pairs if kind_of(pair[0]) == chosen]


def _of_reader(reference: Reference, place: Place, output: str, fault: str, which: str) -> Trial:
    done = place.run("--rerun-triggers", "mtime", "--forcerun", f"results/{output}")
    if done.code is None:
        return Trial("read", fault, STUCK, "hung")
    if done.code == 0:
        return Trial("read", fault, *reference.compare(place))
    named = which in done.said and "damaged (" in done.said
    verdict, detail = reference.judge(place)
    if verdict == SURVIVED and not named:
        return Trial("read", fault, UNCLEAR, done.said[-600:].replace("\n", " / "))
    return Trial("read", fault, verdict, detail)


PARTS: dict[str, Callable] = {"damage": between_runs, "read": while_running}
