"""Regions that an autoencoder gives back worse than those of the people that it learnt from."""

import logging

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.curves import normal_score
from brainlapse.analysis.norms.people import middle_scans
from brainlapse.cohort.people.names import people_of
from brainlapse.cohort.tables import SCAN, is_flagged
from brainlapse.segmentation.labels import GROUPS, STRUCTURES, region_name

FEWEST_VOXELS = 10  # of a region: fewer are mostly its border
FEWEST_PEOPLE = 10  # of those that a scan is held against
SMALLEST = 1e-9  # spread of log errors: less is none
SIDES = ("train", "validation")
ERROR_COLUMNS = ["dataset", "subject", "session", "scan", "split", "region", "mae"]
ANOMALY_COLUMNS = [
    *("dataset", "subject", "session", "scan", "split", "diagnosis", "region", "mae"),
    *("z_train", "z_validation", "in_sample"),
]
LABELS = GROUPS | {region_name(name): frozenset({label}) for name, label in STRUCTURES.items()}

log = logging.getLogger("brainlapse")


def regional_errors(
    brain: np.ndarray, reconstruction: np.ndarray, inside: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Mean absolute difference of intensity in each region of the scan's own segmentation.

    Parameters
    ----------
    brain, reconstruction
        Float (X, Y, Z), values 0 to 1.
    inside
        Brain mask, bool (X, Y, Z).
    labels
        FreeSurfer's ids, (X, Y, Z).

    Returns
    -------
    dict
        Groups and single structures; NaN for those of fewer than 10 voxels.
    """
    ids = labels[inside].astype(np.int64)
    size = max(STRUCTURES.values()) + 1
    error = np.abs(reconstruction[inside].astype(np.float64) - brain[inside])
    sums = np.bincount(ids, weights=error, minlength=size)
    counts = np.bincount(ids, minlength=size)
    found = {name: (sums[list(own)].sum(), counts[list(own)].sum()) for name, own in LABELS.items()}
    return {
        name: float(total / count) if count >= FEWEST_VOXELS else np.nan
        for name, (total, count) in found.items()
    }


def tabulate_anomalies(errors: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Hold the regional errors of every scan against those of training and of validation people.

    Parameters
    ----------
    errors
        ``ERROR_COLUMNS``.
    index
        ``index.tsv`` of the latents.

    Returns
    -------
    pandas.DataFrame
        ``ANOMALY_COLUMNS``. The z-scores are of the logarithm of the error, against one unflagged
        scan of each person of the split (the middle one), never the person's own, and those of a
        prediction (t distribution). The autoencoder has seen the scans of `in_sample`: it gives
        them back better than others, so that others lie high in ``z_train``; it has not learnt
        from validation people. Against fewer than 10 people there are no numbers.
    """
    rows = index.assign(person=people_of(index), flagged=is_flagged(index))
    rows = rows.sort_values(["person", "age_years", *SCAN], ignore_index=True)
    keys = pd.MultiIndex.from_frame(rows[SCAN])
    wide = errors.pivot_table("mae", index=SCAN, columns="region", sort=False).reindex(keys)
    logs = np.log(wide.where(wide > 0).to_numpy(float))
    in_sample = (rows["split"] == "train") & ~rows["flagged"]
    facts = rows.assign(in_sample=in_sample)[[*SCAN, "diagnosis", "in_sample"]]
    table = errors.merge(facts, on=SCAN, how="left", validate="many_to_one")
    for side in SIDES:
        known = middle_scans(rows[(rows["split"] == side) & ~rows["flagged"]])
        if len(known) < FEWEST_PEOPLE:
            message = "no z-scores against %s people: expected %d, found %d"
            log.warning(message, side, FEWEST_PEOPLE, len(known))
        scores = score_against(logs, rows["person"].to_numpy(str), known.index.to_numpy(int))
        scored = pd.DataFrame(scores.round(4), index=keys, columns=wide.columns).reset_index()
        long = scored.melt(SCAN, var_name="region", value_name=f"z_{side}")
        table = table.merge(long, on=[*SCAN, "region"], how="left", validate="one_to_one")
    return table[ANOMALY_COLUMNS]


def score_against(values: np.ndarray, people: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Z-scores against the values of other people.

    Parameters
    ----------
    values
        Float (N, R), NaN where there is none.
    people
        Whose they are, text (N,).
    known
        Rows that are held against, one for each of their people, int (K,).
    """
    scores = np.full(values.shape, np.nan)
    strangers = ~np.isin(people, people[known])
    scores[strangers] = _predict(values[strangers], values[known])
    for row in known:
        mine = people == people[row]
        scores[mine] = _predict(values[mine], values[known[known != row]])
    return scores


def _predict(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Z-scores of values (N, R) as predicted from those of others (K, R)."""
    scores = np.full(values.shape, np.nan)
    count = np.isfinite(others).sum(axis=0)
    enough = count >= FEWEST_PEOPLE
    count, others = count[enough], others[:, enough]
    scale = np.nanstd(others, axis=0, ddof=1) * np.sqrt(1 + 1 / count)
    distance = (values[:, enough] - np.nanmean(others, axis=0)) / np.where(
        scale > SMALLEST, scale, np.nan
    )
    scores[:, enough] = normal_score(distance, count - 1)
    return scores
