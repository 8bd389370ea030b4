"""What a dry run costs as the cohort grows, beside a bare chain of as many jobs.

    python -m benchmarks.planning FOLDER --scans 1000 3000 9200 [--states cohort quality done]

Makes a data set of empty files and the tables that `cohort` would write for it, then plans
(`snakemake -n`) in three states: the cohort is known (`cohort`), every scan is preprocessed
(`quality`), every output is there (`done`). Outputs of later states are empty files, made from what
the plan before them names. The bare chain is a Snakefile of seven rules a scan without anything
else. Prints processor seconds and peak memory of the planning process.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from brainlapse import runtime
from brainlapse.cohort.tables import ALTERNATIVE_COLUMNS, REJECTED_COLUMNS, scan_name

ROOT = Path(__file__).parents[1]
VISITS = 4  # of a person, as in ADNI
STATES = ("cohort", "quality", "done")
CHAIN = 7
SPLITS = ("train", "train", "train", "validation", "test")
QUALITY = {"status": "accepted", "stage": None, "reasons": None}
OUTPUT = re.compile(r"^    output: (.*)$", re.MULTILINE)


def describe(scans: int, bids: Path) -> pd.DataFrame:
    """Table of scans as `build_cohort` writes it."""
    rows = []
    for number in range(scans):
        person, visit = divmod(number, VISITS)
        subject, session = f"sub-{person:05d}", f"ses-{visit + 1}"
        name = scan_name(subject, session)
        rows.append(
            {
                "dataset": "big", "subject": subject, "session": session, "scan": name,
                "person": f"big/{subject}",
                "path": str(bids / subject / session / "anat" / f"{name}_T1w.nii.gz"),
                "age_years": 60.0 + person % 25 + visit, "sex": "FM"[person % 2],
                "diagnosis": ("control", "patient")[person % 2], "role": "fit",
                "split": SPLITS[person % len(SPLITS)], "sha256": f"{number:064x}",
                "image_sha256": f"{number:064x}", "note": None,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def lay_out(folder: Path, scans: int) -> None:
    """Write the data set, the configuration and the tables of the cohort."""
    table = describe(scans, folder / "bids")
    for path in table["path"]:
        touch(Path(path))
    (folder / "bids/dataset_description.json").write_text('{"Name": "big", "BIDSVersion": "1.9.0"}')
    config = {
        "output": str(folder / "results"),
        "datasets": {"big": {"bids": str(folder / "bids"), "role": "fit"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    cohort = folder / "results/cohort"
    runtime.write_table(cohort / "scans.tsv", table)
    runtime.write_table(cohort / "rejected.tsv", pd.DataFrame(columns=list(REJECTED_COLUMNS)))
    runtime.write_table(
        cohort / "alternatives.tsv", pd.DataFrame(columns=list(ALTERNATIVE_COLUMNS))
    )


def touch(path: Path) -> None:
    """Make an empty file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Snakemake on the data set."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(ROOT / "Snakefile"),
         "--directory", str(folder), "--cores", "8", "--configfile", str(folder / "config.yaml")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip


def plan(folder: Path) -> subprocess.CompletedProcess:
    """Plan everything that is left."""
    return snakemake(folder, "-n")


def record(folder: Path, target: str) -> None:
    """Let the outputs that are there pass as made by this code with these settings."""
    snakemake(folder, target, "--touch")


def make_outputs(folder: Path) -> None:
    """Make every planned output as an empty file."""
    for line in OUTPUT.findall(plan(folder).stdout):
        for path in line.split(", "):
            make_output(Path(path))
    record(folder, "all")


def make_output(path: Path) -> None:
    """Make one output; a name without an ending is a folder."""
    if path.suffix:
        touch(path)
    else:
        path.mkdir(parents=True, exist_ok=True)
        touch(path / ".snakemake_timestamp")


def preprocess(folder: Path) -> None:
    """Bring the data set to the state after quality control."""
    planned = plan(folder).stdout
    for line in OUTPUT.findall(planned):
        for path in line.split(", "):
            if "/preprocess/" in path or "/template/" in path:
                make_output(Path(path))
    table = runtime.read_table(folder / "results/cohort/scans.tsv")
    quality = table[["dataset", "subject", "session", "scan"]].assign(**QUALITY)
    runtime.write_table(folder / "results/preprocess/qc.tsv", quality)
    record(folder, "preprocess")


def bare_chain(folder: Path, scans: int) -> None:
    """Write a Snakefile with seven chained rules a scan."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = [f"rule all:\n    input: expand('{{scan}}.{CHAIN}', scan=range({scans}))\n"]
    for step in range(1, CHAIN + 1):
        source = f"    input: '{{scan}}.{step - 1}'\n" if step > 1 else ""
        head = f"rule step{step}:\n{source}"
        rules.append(f"{head}    output: '{{scan}}.{step}'\n    shell: 'true'\n")
    (folder / "Snakefile").write_text("\n".join(rules))


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Processor seconds and peak memory [MiB] of a command."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        message = f"{' '.join(command)}: ended with {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def report(scans: int, what: str, folder: Path, arguments: list[str]) -> None:
    """Print a row."""
    seconds, mib = measure([sys.executable, "-m", "snakemake", "-n", "-q", *arguments], folder)
    print(f"| {scans} | {what} | {seconds:.1f} | {mib:.0f} |", flush=True)


def main() -> None:
    """Measure every size and state."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scans", type=int, nargs="+", default=[1000])
    parser.add_argument("--states", choices=STATES, nargs="+", default=STATES)
    wanted = parser.parse_args()
    print("| scans | state | CPU s | MiB |\n|---|---|---|---|")
    for scans in wanted.scans:
        folder = (wanted.folder / str(scans)).resolve()
        bare_chain(folder / "bare", scans)
        report(scans, "bare chain", folder / "bare", ["--cores", "8"])
        lay_out(folder, scans)
        arguments = [
            "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", "8",
            "--configfile", str(folder / "config.yaml"),
        ]  # fmt: skip
        steps = {
            "cohort": lambda place: record(place, "cohort"),
            "quality": preprocess,
            "done": make_outputs,
        }
        for state in STATES[: 1 + max(STATES.index(state) for state in wanted.states)]:
            steps[state](folder)
            if state in wanted.states:
                report(scans, state, ROOT, arguments)


if __name__ == "__main__":
    main()
