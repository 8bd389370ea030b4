"""Project what a finished run has cost to a cohort of another size.

    python -m benchmarks.projection RESULTS --scans 9200 --people 1700

Reads the line of cost that ends the log of every job, and the bytes that the run has left, and
prints two tables: jobs, CPU hours, minutes of the longest job and measured peak memory by rule, and
the disk by folder. Work grows with the scans and is spread over the jobs that the larger cohort
has: as many per scan or person, blocks of people as `brainlapse.cohort.blocks` makes them, and one
job where there is one. Training is as long as its budget says, and stays as it was. So measure a
run on the grid that you will use, on a machine that does nothing else.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainlapse.cohort.blocks import block_count
from brainlapse.cohort.tables import read_scans

COST = re.compile(r"^cost: ([\d.]+) s, ([\d.]+) CPU s, (\d+) MB", re.MULTILINE)
FIXED = ("train_autoencoder", "sample_template", "load_bundle", "train_segmenter", "draw_brains")
DRAWN = "simulate_dataset"  # no part of a real cohort
GB, MINUTE, HOUR = 1e9, 60, 3600


@dataclass(frozen=True)
class Size:
    """Scans and people of a cohort."""

    scans: int
    people: int


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("--scans", type=int, default=9200)
    parser.add_argument("--people", type=int, default=1700)
    options = parser.parse_args()
    scans = read_scans(options.results / "cohort/scans.tsv")
    measured = Size(len(scans), len(scans[["dataset", "subject"]].drop_duplicates()))
    wanted = Size(options.scans, options.people)
    print(f"from {measured} to {wanted}")
    print(project_jobs(read_costs(options.results / "logs"), measured, wanted).to_string())
    print(project_disk(options.results, wanted.scans / measured.scans).to_string())


def read_costs(logs: Path) -> pd.DataFrame:
    """Return rule, job, seconds, CPU seconds and peak memory [MB] of all jobs with a log."""
    rows = []
    for path in sorted(logs.rglob("*.log")):
        found = COST.findall(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            job = path.relative_to(logs).with_suffix("")
            rows.append([job.parts[0], str(job), *map(float, found[-1])])
    return pd.DataFrame(rows, columns=["rule", "job", "seconds", "cpu_seconds", "peak_mb"])


def project_jobs(costs: pd.DataFrame, measured: Size, wanted: Size) -> pd.DataFrame:
    """Return jobs, CPU hours, longest job [min] and measured memory [MB] by rule, longest first."""
    rows = []
    for rule, jobs in costs[costs["rule"] != DRAWN].groupby("rule"):
        work = 1.0 if rule in FIXED else wanted.scans / measured.scans
        count = len(jobs) * _more_jobs(jobs["job"], measured, wanted)
        rows.append(
            {
                "rule": rule,
                "jobs": round(count),
                "CPU hours": jobs["cpu_seconds"].sum() * work / HOUR,
                "longest [min]": jobs["seconds"].max() * work * len(jobs) / count / MINUTE,
                "measured peak [MB]": jobs["peak_mb"].max(),
            }
        )
    table = pd.DataFrame(rows).sort_values("longest [min]", ascending=False).set_index("rule")
    return table.round({"CPU hours": 1, "longest [min]": 1, "measured peak [MB]": 0})


def _more_jobs(jobs: pd.Series, measured: Size, wanted: Size) -> float:
    """How many times as many jobs a rule has."""
    blocks = jobs.str.extract(r"(block-\d+)$")[0].dropna()
    if len(blocks):
        return block_count(wanted.people) / blocks.nunique()
    if jobs.str.contains(r"/sub-[^/]+/").any():
        return wanted.scans / measured.scans
    if jobs.str.contains(r"/sub-[^/]+$").any():
        return wanted.people / measured.people
    return 1.0


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
