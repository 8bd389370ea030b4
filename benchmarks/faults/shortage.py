"""A disk that fills up and memory that runs out; then the same command with enough of both."""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.reference import Reference
from benchmarks.faults.runs import Place, ended
from benchmarks.faults.trials import STUCK, UNCLEAR, Trial

MEGABYTE = 2**20
STAGES = ("template", "preprocess", "autoencoder", "latents", "aging", "volumes", "report")
NAMESPACE = ["unshare", "--map-root-user", "--mount"]
FULL = """
mount -t tmpfs -o size={small_mb}m none {results} && cp -a {kept}/. {results} || exit 99
{command} > {folder}/full.log 2>&1; echo $? > {folder}/code
mount -o remount,size={large_mb}m {results}
cp -a {results} {after}
"""


def _without_stage(
    reference: Reference, folder: Path, rng: random.Random
) -> tuple[Place, str, float]:
    """Copy the finished run, take a stage and all after it away; return also their megabytes."""
    place = reference.copy_to(folder)
    stages = [stage for stage in STAGES if (place.results / stage).exists()]
    first = rng.randrange(len(stages))
    missing = [place.results / stage for stage in stages[first:]]
    files = [path for folder in missing for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / MEGABYTE
    for folder in missing:
        shutil.rmtree(folder)
    return place, stages[first], size


def full_disks(
    reference: Reference, folder: Path, rng: random.Random, trials: int
) -> Iterator[Trial]:
    """Give the results a file system of their own that is too small for what is missing."""
    if subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode:
        print("disk | not tried: no file system can be mounted here", flush=True)
        return
    for number in range(trials):
        place, stage, missing_mb = _without_stage(reference, folder / f"disk{number}", rng)
        share = rng.uniform(0.05, 0.95)
        fault = f"{share:.0%} of the {missing_mb:.1f} MB that {stage} needs"
        yield _on_small_disk(reference, place, share * missing_mb, fault)
        shutil.rmtree(place.folder)


def _on_small_disk(reference: Reference, place: Place, free_mb: float, fault: str) -> Trial:
    kept, after = place.folder / "kept", place.folder / "after"
    place.results.rename(kept)
    place.results.mkdir()
    used = subprocess.run(["du", "-sm", str(kept)], capture_output=True, text=True, check=True)
    small_mb = int(used.stdout.split()[0]) + max(1, round(free_mb))
    script = FULL.format(
        small_mb=small_mb, large_mb=small_mb + 4096, results=place.results, kept=kept, after=after,
        folder=place.folder, command=" ".join(place.command()),
    )  # fmt: skip
    done = ended([*NAMESPACE, "sh", "-c", script], place.folder / "mount.log")
    if done.code is None:
        return Trial("disk", fault, STUCK, "hung")
    place.results.rmdir()
    after.rename(place.results)
    code, said = ((place.folder / name).read_text() for name in ("code", "full.log"))
    verdict, detail = reference.judge(place)
    if not detail and code.strip() != "0" and "No space left on device" not in said:
        return Trial("disk", fault, UNCLEAR, said[-600:].replace("\n", " / "))
    return Trial("disk", fault, verdict, detail)


def little_memory(
    reference: Reference, folder: Path, rng: random.Random, trials: int
) -> Iterator[Trial]:
    """Limit what each process of the run may take."""
    for number in range(trials):
        place, stage, _ = _without_stage(reference, folder / f"memory{number}", rng)
        megabytes = rng.randrange(300, 3000)
        fault = f"{megabytes} MB of addresses for {stage}"
        limited = place.run(wrap=("prlimit", f"--as={megabytes * MEGABYTE}"))
        if limited.code is None:
            yield Trial("memory", fault, STUCK, "hung")
        else:
            yield Trial("memory", fault, *reference.judge(place))
        shutil.rmtree(place.folder)


PARTS: dict[str, Callable] = {"disk": full_disks, "memory": little_memory}
