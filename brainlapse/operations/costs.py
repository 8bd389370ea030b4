"""What the jobs of a run cost, gathered from the last lines of their logs."""

import re
from pathlib import Path

import pandas as pd

LINE = re.compile(r"cost: (?P<s>[\d.]+) s, (?P<cpu>[\d.]+) CPU s, (?P<mb>\d+) MB on (?P<host>\S+)$")
COLUMNS = ("rule", "jobs", "median [s]", "CPU [min]", "CPU s per scan", "most memory [MB]", "hosts")


def gather_costs(logs: Path, scans: int) -> pd.DataFrame:
    """Sum up by rule what the jobs of a run cost.

    Parameters
    ----------
    logs
        ``OUT/logs``: a folder or file per rule.
    scans
        Of the cohort.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, the most expensive rule first; jobs that failed, or ran before, aren't in it.
    """
    rows = [
        {"rule": path.relative_to(logs).parts[0].removesuffix(".log"), **found.groupdict()}
        for path in sorted(logs.rglob("*.log"))
        if (found := LINE.search(last_line(path)))
    ]
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.DataFrame(rows).astype({"s": float, "cpu": float, "mb": float})
    groups = table.groupby("rule")
    cpu_seconds = groups["cpu"].sum()
    values = (
        *(groups.size(), groups["s"].median(), cpu_seconds / 60, cpu_seconds / max(scans, 1)),
        *(groups["mb"].max(), groups["host"].nunique()),
    )
    summed = pd.DataFrame(dict(zip(COLUMNS[1:], values, strict=True))).reset_index()
    return summed.sort_values("CPU [min]", ascending=False, ignore_index=True)


def last_line(path: Path) -> str:
    """Read the last line of a text file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1000))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
