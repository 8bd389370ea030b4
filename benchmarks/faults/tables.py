"""Tables of people in the dialects that people write: each age is right or said to be missing."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from benchmarks.faults.datasets import SECONDS, SETTINGS, image, place_scan, time_limit
from benchmarks.faults.reference import Reference
from benchmarks.faults.trials import STUCK, SURVIVED, UNCLEAR, WRONG, Trial
from brainlapse.cohort.build import build_cohort
from brainlapse.cohort.errors import CohortError

PEOPLE = 5
ID_NAMES = ("participant_id", "Participant_ID", "subject", "id", "Subject ID")
AGE_NAMES = ("age", "AGE", "Age", "age_years", "Age (years)", "age_at_scan")
SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";"}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")
ENDS = {"\\n": "\n", "\\r\\n": "\r\n"}
COMMENTS = ("fine", 'he said "no', '"', "it's 5'", "M\xfcller", "n/a", "", "3", '"quoted"')
ODD_AGES = ("n/a", "999", "", "unknown", "-4", "1e3")
OURS = ("status", "path", "scan", "session", "dataset", "split_", "flagged", "note")


def tables(reference: Reference, folder: Path, rng: random.Random, trials: int) -> Iterator[Trial]:
    """Write table after table for the same people."""
    bids = folder / "bids"
    names = [f"sub-{number:02d}" for number in range(PEOPLE)]
    for seed, name in enumerate(names):
        nib.save(image(seed), place_scan(bids, name))
    (bids / "dataset_description.json").write_text('{"Name": "d", "BIDSVersion": "1.9.0"}')
    for _ in range(10 * trials):
        ages, fault = write_people(bids / "participants.tsv", names, rng)
        yield Trial("table", fault, *of_table(bids, ages))
    shutil.rmtree(folder)


def write_people(
    path: Path, names: list[str], rng: random.Random
) -> tuple[dict[str, float | None], str]:
    """Write a table in a random dialect; return the ages that stand in it, and the dialect."""
    separator, end = rng.choice(list(SEPARATORS)), rng.choice(list(ENDS))
    encoding = rng.choice(ENCODINGS)
    columns = [rng.choice(ID_NAMES), "comment", rng.choice(AGE_NAMES), rng.choice(OURS)]
    ages: dict[str, float | None] = {name: rng.randrange(200, 900) / 10 for name in names}
    rows = []
    for name in rng.sample(names, len(names)):
        written = str(ages[name])
        if rng.random() < 0.1:
            written, ages[name] = rng.choice(ODD_AGES), None
        comment = rng.choice(COMMENTS)
        rows.append([name if rng.random() < 0.5 else name[4:], comment, written, "theirs"])
    order = rng.sample(range(len(columns)), len(columns))
    lines = [SEPARATORS[separator].join(row[at] for at in order) for row in [columns, *rows]]
    path.write_bytes((ENDS[end].join(lines) + ENDS[end]).encode(encoding))
    dialect = f"{separator}, {encoding}, {end}, columns {[columns[at] for at in order]}"
    return ages, f"{dialect}, comments {[row[1] for row in rows]}"


def of_table(bids: Path, ages: dict[str, float | None]) -> tuple[str, str]:
    """Build the cohort and compare the ages with those that were written."""
    try:
        with time_limit(SECONDS):
            cohort = build_cohort({"d": str(bids)}, {"d": "apply"}, SETTINGS, seed=0)
    except TimeoutError:
        return STUCK, f"more than {SECONDS} s"
    except CohortError as error:
        return SURVIVED, str(error)
    except Exception as error:
        return UNCLEAR, repr(error)
    for row in cohort.scans.itertuples():
        known = not pd.isna(row.age_years)
        if known and not (ages[row.subject] and np.isclose(row.age_years, ages[row.subject])):
            return WRONG, f"{row.subject}: {row.age_years} instead of {ages[row.subject]}"
        if not known and pd.isna(row.note):
            return WRONG, f"{row.subject}: age lost without a note"
    lost = sum(pd.isna(cohort.scans["age_years"])) - sum(age is None for age in ages.values())
    return SURVIVED, f"{lost} ages not understood, each with a note" if lost else ""


PARTS: dict[str, Callable] = {"table": tables}
