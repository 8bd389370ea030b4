"""Bundles from strangers: nothing in them runs, and none that was changed is taken for whole."""

import json
import random
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from benchmarks.faults.damage import CONTENT
from benchmarks.faults.reference import Reference
from benchmarks.faults.runs import Ended, ended
from benchmarks.faults.trials import STUCK, SURVIVED, TRACE, UNCLEAR, WRONG, Trial
from brainlapse.bundle import files

PYTHON_COMMAND = re.compile(r"brainlapse\.bundle: ")
SECONDS = 300


def canary(folder: Path) -> Path:
    """File that only code of a bundle would write."""
    return folder.parent / "code_ran"


def template(folder: Path, rng: random.Random) -> None:
    """Put a template that runs code into the settings."""
    path = folder / "config.yaml"
    code = f"open({str(canary(folder))!r}, 'w').close()"
    text = {"__use_yte__": True, f"?__import__('os') and exec({code!r})": 1}
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **text}))


def yaml_object(folder: Path, rng: random.Random) -> None:
    """Put a YAML tag that calls a function into the settings."""
    text = f"!!python/object/apply:os.system ['touch {canary(folder)}']\n"
    (folder / "config.yaml").write_text(text)


def pickled(folder: Path, rng: random.Random) -> None:
    """Write a pickle in place of weights."""
    text = f"cposix\nsystem\n(S'touch {canary(folder)}'\ntR."
    (folder / rng.choice(["model.safetensors", "example.safetensors"])).write_text(text)


def other_setting(folder: Path, rng: random.Random) -> None:
    """Change a value of the settings, of the contract or of the card, and not the others."""
    name = rng.choice(["contract.json", "config.json"])
    content = json.loads((folder / name).read_text())
    contract = content if name == "contract.json" else content["contract"]
    contract[rng.choice(sorted(contract))] = rng.choice([None, -1, "x", {}, [[]]])
    (folder / name).write_text(json.dumps(content))


def nested(folder: Path, rng: random.Random) -> None:
    """Nest brackets deeply."""
    deep = rng.choice([60, 10**5])
    (folder / "config.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")


def holes(folder: Path, rng: random.Random) -> None:
    """Let a file be large by holes only."""
    with open(folder / rng.choice(sorted(files.LIMITS)), "r+b") as file:
        file.truncate(rng.choice([10**9, 10**11]))


def turned_weight(folder: Path, rng: random.Random) -> None:
    """Set a stretch of the weights to other numbers."""
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content) // 2, len(content) - 4000)
    content[start : start + 4000] = rng.randbytes(4000)
    path.write_bytes(content)


FORGERIES: dict[str, Callable[[Path, random.Random], None]] = {
    "template in the settings": template,
    "YAML object": yaml_object,
    "pickle as weights": pickled,
    "other contract": other_setting,
    "nested brackets": nested,
    "file of holes": holes,
    "other weights": turned_weight,
}


def bundles(reference: Reference, folder: Path, rng: random.Random, trials: int) -> Iterator[Trial]:
    """Export a bundle, damage or forge a copy, and ask whether it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    model = next(iter(reference.place.settings["autoencoders"]))
    whole = folder / "whole"
    words = ["export", "--results", str(reference.place.results), "--model", model]
    exported = bundle_command(folder, *words, "--to", str(whole))
    checked = bundle_command(folder, "check", str(whole))
    if exported.code or checked.code:
        yield Trial("bundle", "none", STUCK, exported.said + checked.said)
        return
    for number in range(trials):
        forged = folder / f"forged{number}"
        shutil.copytree(whole, forged)
        fault = forge(forged, rng)
        target = as_zip(forged, rng)
        done = bundle_command(folder, "check", str(target))
        yield Trial("bundle", f"{fault}, {target.suffix or 'folder'}", *_of_bundle(forged, done))
        shutil.rmtree(forged)
    shutil.rmtree(folder)


def forge(folder: Path, rng: random.Random) -> str:
    """Damage a file, or forge one and let the manifest agree."""
    if rng.random() < 0.4:
        name, how = rng.choice([*sorted(files.LIMITS), files.MANIFEST]), rng.choice(list(CONTENT))
        path = folder / name
        path.write_bytes(CONTENT[how](path.read_bytes(), rng))
        return f"{name}: {how}"
    name = rng.choice(list(FORGERIES))
    FORGERIES[name](folder, rng)
    if name != "file of holes":
        listed = {part: (folder / part).read_bytes() for part in files.LIMITS}
        (folder / files.MANIFEST).write_bytes(files.describe(listed))
    return name


def as_zip(folder: Path, rng: random.Random) -> Path:
    """Pack the files in every other case, if they are not huge, one of them under an odd name."""
    sizes = [path.stat().st_size for path in folder.iterdir()]
    if max(sizes) > 10**8 or rng.random() < 0.5:
        return folder
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        if rng.random() < 0.3:
            archive.writestr("../escaped", "x")
    return target


def bundle_command(folder: Path, *words: str) -> Ended:
    """Run the command of bundles."""
    command = ["prlimit", f"--as={16 * 2**30}", sys.executable, "-m", "brainlapse.bundle", *words]
    return ended(command, folder / "bundle.log", SECONDS)


def _of_bundle(forged: Path, done: Ended) -> tuple[str, str]:
    if canary(forged).exists() or (forged.parent / "escaped").exists():
        return WRONG, "something of the bundle was run or written"
    if done.code is None:
        return STUCK, f"more than {SECONDS} s"
    if done.code == 0:
        return WRONG, "taken for whole"
    if TRACE.search(done.said) or not PYTHON_COMMAND.search(done.said):
        return UNCLEAR, done.said[-600:].replace("\n", " / ")
    return SURVIVED, ""


PARTS: dict[str, Callable] = {"bundle": bundles}
