"""Project what finished runs have cost to a cohort of another size.

    python -m benchmarks.projection RESULTS [RESULTS ...] --scans 9200 --people 1700

Reads the line of cost that ends the log of every job, and the bytes that a run has left, and prints
two tables: by rule, jobs, CPU hours, minutes and memory of the longest and the largest job; and the
disk by folder. A job of one scan or person costs what it has cost. For jobs over a block of people
or over everyone a start and a cost per scan are told apart by a line through jobs of different
sizes, neither below 0: give two runs or more, of different numbers of scans, on the grid that you
will use, made on a machine that does nothing else. Where all jobs of a rule have one size there is
no line, and all of their cost is taken to grow with the scans; the last column says so. Training is
as long as its budget says, and stays as it was.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import lsq_linear

from brainlapse.cohort.blocks import with_blocks
from brainlapse.cohort.tables import read_scans

COST = re.compile(r"^cost: ([\d.]+) s, ([\d.]+) CPU s, (\d+) MB", re.MULTILINE)
BLOCK = re.compile(r"([^/]+)_((?:block|train)-\d+)$")
PERSON = re.compile(r"([^/]+)/(sub-[^/]+)$")
FIXED = (
    *("train_autoencoder", "sample_template", "load_bundle", "train_segmenter", "draw_brains"),
    *("interpolate_scans", "repeat_scan"),  # as many as the settings say
)
DRAWN = "simulate_dataset"  # no part of a real cohort
MEASURES = ["seconds", "cpu_seconds", "peak_mb"]
TRAINING_SHARE = 0.7
GB, MINUTE, HOUR = 1e9, 60, 3600


@dataclass(frozen=True)
class Wanted:
    """The cohort that is projected to.

    Attributes
    ----------
    scans
        In all.
    block_scans
        Of each block of people.
    """

    scans: int
    people: int
    block_scans: np.ndarray


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", help="output folders of finished runs")
    parser.add_argument("--scans", type=int, default=9200)
    parser.add_argument("--people", type=int, default=1700)
    options = parser.parse_args()
    costs = pd.concat([read_costs(results) for results in options.results])
    wanted = cohort_of(options.scans, options.people)
    print(f"from runs of {sorted(costs['scans'].unique())} scans to {options.scans}")
    print(project_jobs(costs, wanted).to_string())
    largest = max(options.results, key=_count)
    print(project_disk(largest, wanted.scans / _count(largest)).to_string())


def cohort_of(scans: int, people: int) -> Wanted:
    """Lay people with equally many scans into blocks, as the workflow would."""
    names = [f"sub-{number:05d}" for number in range(people)]
    splits = ["train" if n < TRAINING_SHARE * people else "test" for n in range(people)]
    table = pd.DataFrame({"dataset": "d", "subject": names, "split": splits})
    sizes = with_blocks(table).groupby("block").size().to_numpy()
    return Wanted(scans, people, sizes * scans / people)


def _count(results: Path) -> int:
    return len(read_scans(results / "cohort/scans.tsv"))


def read_costs(results: Path) -> pd.DataFrame:
    """Read what the jobs of one run have cost.

    Returns
    -------
    pd.DataFrame
        rule, kind (scan, person, block, all), scans of the run, work [scans of the job], seconds,
        CPU seconds and peak memory [MB] of all jobs with a log.
    """
    scans = with_blocks(read_scans(results / "cohort/scans.tsv"))
    of_blocks = scans.groupby(["dataset", "block"]).size()
    of_people = scans.groupby(["dataset", "subject"]).size()
    rows = []
    for path in sorted((results / "logs").rglob("*.log")):
        if found := COST.findall(path.read_text(encoding="utf-8", errors="replace")):
            job = path.relative_to(results / "logs").with_suffix("")
            kind, work = "all", len(scans)
            if block := BLOCK.search(str(job)):
                if (block[1], block[2]) not in of_blocks:
                    continue  # left by a cohort of before
                kind, work = "block", of_blocks[block[1], block[2]]
            elif re.search(r"/sub-[^/]+/", str(job)):
                kind, work = "scan", 1
            elif person := PERSON.search(str(job)):
                kind, work = "person", of_people[person[1], person[2]]
            rows.append([job.parts[0], kind, len(scans), work, *map(float, found[-1])])
    return pd.DataFrame(rows, columns=["rule", "kind", "scans", "work", *MEASURES])


def project_jobs(costs: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Return jobs, CPU hours, longest job [min] and largest memory [MB] by rule, longest first."""
    rows = []
    for (rule, kind), jobs in costs[costs["rule"] != DRAWN].groupby(["rule", "kind"]):
        if rule in FIXED:
            once = jobs[jobs["scans"] == jobs["scans"].max()]
            work, costs_of_jobs, line = once["work"], once[MEASURES].to_numpy(), "fixed"
        elif kind in ("block", "all"):
            work = wanted.block_scans if kind == "block" else np.array([wanted.scans])
            line = "line" if has_sizes(jobs) else "all grows"
            costs_of_jobs = extrapolate(jobs, work)
        else:
            count = wanted.scans if kind == "scan" else wanted.people
            work, line = np.ones(count), "per job"
            costs_of_jobs = np.tile(jobs[MEASURES].mean(), (count, 1))
            costs_of_jobs[0] = jobs[MEASURES].max()
        seconds, cpu_seconds, peak_mb = costs_of_jobs.T
        rows.append(
            {
                "rule": rule,
                "jobs": len(work),
                "CPU hours": cpu_seconds.sum() / HOUR,
                "longest [min]": seconds.max() / MINUTE,
                "memory [MB]": peak_mb.max(),
                "from": line,
            }
        )
    table = pd.DataFrame(rows).sort_values("longest [min]", ascending=False).set_index("rule")
    return table.round({"CPU hours": 1, "longest [min]": 1, "memory [MB]": 0})


def has_sizes(jobs: pd.DataFrame) -> bool:
    """Whether the jobs work on different numbers of scans: a start can be told apart."""
    return bool(np.ptp(jobs["work"]))


def extrapolate(jobs: pd.DataFrame, work: np.ndarray) -> np.ndarray:
    """Return `MEASURES` (jobs, 3) of jobs over as many scans as `work` says.

    A start and a cost per scan by least squares, neither negative; memory at least the measured.
    """
    starts = np.full(len(jobs), float(has_sizes(jobs)))
    design = np.column_stack([starts, jobs["work"]])
    lines = [lsq_linear(design, jobs[name], bounds=(0, np.inf)).x for name in MEASURES]
    projected = np.column_stack([start + slope * work for start, slope in lines])
    projected[:, -1] = np.maximum(projected[:, -1], jobs["peak_mb"].max())
    return projected


def project_disk(results: Path, growth: float) -> pd.DataFrame:
    """Return gigabytes by folder, largest first; weights stay as they are."""
    rows = []
    for name, files in _folders(results):
        size = sum(path.stat().st_size for path in files)
        rows.append({"folder": name, "GB": size * (1 if name == "autoencoder" else growth) / GB})
    table = pd.DataFrame(rows).sort_values("GB", ascending=False).set_index("folder")
    table.loc["all"] = table["GB"].sum()
    return table.round(1)


def _folders(results: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield the stages, preprocessing apart by what its files are."""
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        if folder.name in ("simulated", "template"):
            continue
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        if folder.name != "preprocess":
            yield folder.name, files
            continue
        ends = {"bias-corrected heads": "desc-n4", "brains": "desc-brain_T1w"}
        for words, end in ends.items():
            yield f"preprocess, {words}", [path for path in files if end in path.name]
        rest = [path for path in files if not any(end in path.name for end in ends.values())]
        yield "preprocess, rest", rest


if __name__ == "__main__":
    main()
