"""Where each scan of a run stands, read off its files: nothing is locked, a run may go on.

A scan goes through the steps in their order. It stands at the first whose result is missing:
*failed* if its newest log tells of an error, else *waiting*. A scan that was given up is
*rejected*, one that quality control doubts *flagged*.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.tables import BRAIN, read_scans, scan_path
from brainlapse.rejection import read_rejection

PREPROCESSED = {
    "mask": "_space-T1w_desc-brain_mask.nii.gz",
    "bias": "_desc-n4_T1w.nii.gz",
    "brain": BRAIN,
    "quality": "_qc.json",
}
"""Step to the ending of its result, in order."""

TRACEBACK = "Traceback (most recent call last)"
IDENTITY = ("dataset", "subject", "session", "scan")
COLUMNS = ("dataset", "scan", "state", "step", "detail")
STATES = ("done", "flagged", "waiting", "failed", "rejected")


@dataclass(frozen=True)
class Run:
    """Tables of a run's output folder, read once; empty where they are not there yet.

    Attributes
    ----------
    encoded
        Model to the (dataset, scan) pairs that have a latent.
    segmented
        (dataset, subject) pairs whose volumes are measured.
    """

    root: Path
    scans: pd.DataFrame
    verdicts: dict[tuple[str, str], tuple[str, str]]
    encoded: dict[str, set[tuple[str, str]]]
    segmented: set[tuple[str, str]]


def read_run(root: Path, models: list[str]) -> Run:
    """Read what is there of a run.

    Parameters
    ----------
    root
        Output folder.
    models
        Autoencoders of the configuration.

    Raises
    ------
    FileNotFoundError
        If the cohort is not built yet.
    """
    path = root / "cohort/scans.tsv"
    if not path.is_file():
        message = f"{path}: the cohort is not built yet; run `snakemake cohort`"
        raise FileNotFoundError(message)
    scans = read_scans(path)
    latents = {model: root / f"latents/{model}/index.tsv" for model in models}
    encoded = {model: pairs(path) for model, path in latents.items()}
    tables = (root / "volumes/real").glob("*/*_volumes.tsv")
    segmented = {(path.parent.name, path.name.removesuffix("_volumes.tsv")) for path in tables}
    return Run(root, scans, read_verdicts(root / "preprocess/qc.tsv"), encoded, segmented)


def pairs(path: Path) -> set[tuple[str, str]]:
    """Return (dataset, scan) of each row of a table, none where it is missing."""
    if not path.is_file():
        return set()
    table = runtime.read_table(path, ("dataset", "scan"))
    return set(zip(table["dataset"], table["scan"], strict=True))


def read_verdicts(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Map (dataset, scan) to status and reasons of quality control."""
    if not path.is_file():
        return {}
    table = runtime.read_table(path, ("dataset", "scan", "status", "reasons"))
    keys = zip(table["dataset"], table["scan"], strict=True)
    said = zip(table["status"], table["reasons"].fillna(""), strict=True)
    return dict(zip(keys, said, strict=True))


def status_table(run: Run) -> pd.DataFrame:
    """Return a row for every scan: `COLUMNS`, in the order of the cohort."""
    rows = [
        (dataset, scan, *locate(run, dataset, subject, session, scan))
        for dataset, subject, session, scan in run.scans[list(IDENTITY)].values
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def locate(
    run: Run, dataset: str, subject: str, session: str | None, scan: str
) -> tuple[str, str, str]:
    """Return state, step and detail of one scan."""
    path = scan_path(dataset, subject, session)
    for step, done in steps_of(run, dataset, subject, scan, path):
        if not done:
            error = last_error(run.root / "logs", path)
            return ("failed", step, error) if error else ("waiting", step, "")
        if step in PREPROCESSED and (given_up := rejection_of(run.root, path, step)):
            return "rejected", step, given_up
    status, reasons = run.verdicts.get((dataset, scan), ("accepted", ""))
    if status == "rejected":
        return "rejected", "quality", reasons
    return ("flagged" if status == "flagged" else "done"), "", reasons


def steps_of(
    run: Run, dataset: str, subject: str, scan: str, path: str
) -> Iterator[tuple[str, bool]]:
    """Yield the steps of a scan with whether each is done; rejected scans end at quality."""
    for step, ending in PREPROCESSED.items():
        yield step, (run.root / f"preprocess/{path}{ending}").is_file()
    yield "verdict", (dataset, scan) in run.verdicts
    if run.verdicts[dataset, scan][0] == "rejected":
        return
    yield "volumes", (dataset, subject) in run.segmented
    for model, encoded in run.encoded.items():
        yield f"latent of {model}", (dataset, scan) in encoded


def rejection_of(root: Path, path: str, step: str) -> str:
    """Return why a scan was given up at a step, or nothing."""
    found = read_rejection(root / f"preprocess/{path}{PREPROCESSED[step]}")
    return found.reason if found else ""


def last_error(logs: Path, path: str) -> str:
    """Return the last line of the newest log of a scan if it holds an error, else nothing."""
    found = [log for folder in logs.glob("*") for log in (folder / path).parent.glob("*.log")]
    found = [log for log in found if log.name.startswith(Path(path).name)]
    if not found:
        return ""
    newest = max(found, key=lambda log: log.stat().st_mtime_ns)
    text = newest.read_text(encoding="utf-8", errors="replace")
    return f"{text.strip().splitlines()[-1]} ({newest})" if TRACEBACK in text else ""


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Count scans by data set and state."""
    return pd.crosstab(table["dataset"], table["state"]).reindex(columns=STATES, fill_value=0)


def as_text(table: pd.DataFrame) -> str:
    """Return counts by data set, where the others wait, and each scan that needs a look."""
    parts = [summary(table).to_string()]
    waiting = table[table["state"] == "waiting"]
    if len(waiting):
        parts.append("waiting for:\n" + waiting["step"].value_counts(sort=False).to_string())
    for state in ("failed", "rejected", "flagged"):
        some = table[table["state"] == state]
        lines = [f"  {row.dataset} {row.scan}: {row.detail}" for row in some.itertuples()]
        if lines:
            parts.append("\n".join([f"{state}:", *lines]))
    return "\n\n".join(parts)
