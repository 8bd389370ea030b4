"""One person under two names: a leak wherever people are meant to be held out."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainlapse.cohort.people.names import people_of
from brainlapse.preprocessing.quality.fingerprint import similarities
from brainlapse.preprocessing.quality.strangers import template_fingerprint, usable_fingerprints
from brainlapse.rejection import Rejection

ALIKE = 0.8  # of fingerprints; docs/preprocessing.md says what people reach
SIDE = ["dataset", "subject", "scan"]
DOUBLE_COLUMNS = [*SIDE, *(f"other_{name}" for name in SIDE), "similarity"]

log = logging.getLogger("brainlapse")


def find_doubles(
    scans: pd.DataFrame, records: Sequence[dict[str, Any] | Rejection]
) -> pd.DataFrame:
    """Find people whose brains look like one person's, by the first usable scan of each.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    records
        Per scan the content of its ``_qc.json``, or the notice in its place.

    Returns
    -------
    pandas.DataFrame
        `DOUBLE_COLUMNS`, a row per pair, the most alike first; each is a warning in the log.
    """
    taken = usable_fingerprints(scans, records)
    rows = scans.loc[list(taken)]
    rows = rows.assign(person=people_of(rows)).drop_duplicates("person")
    if len(rows) < 3:  # what people share can't be taken off
        return pd.DataFrame(columns=DOUBLE_COLUMNS)
    prints = np.stack([taken[label] for label in rows.index])
    people = rows["person"].tolist()
    alike = np.triu(similarities(prints, people, template_fingerprint()), 1)
    pairs = np.argwhere(alike >= ALIKE)
    found = pd.concat(
        [
            rows.iloc[pairs[:, 0]][SIDE].reset_index(drop=True),
            rows.iloc[pairs[:, 1]][SIDE].add_prefix("other_").reset_index(drop=True),
            pd.Series(alike[tuple(pairs.T)].round(3), name="similarity"),
        ],
        axis="columns",
    ).sort_values("similarity", ascending=False, ignore_index=True)
    for row in found.itertuples():
        message = "%s/%s and %s/%s look like one person (%.2f)"
        sides = (row.dataset, row.subject, row.other_dataset, row.other_subject)
        log.warning(message, *sides, row.similarity)
    return found
