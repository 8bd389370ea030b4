"""By how much data set, site or scanner shifts regional volumes, where that can be told."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from brainlapse.analysis.sites.audit import have_gap
from brainlapse.analysis.sites.designs import (
    NEARLY,
    dummies,
    is_deficient,
    largest_share,
    left_over,
    less_means,
    visit_columns,
)
from brainlapse.cohort.people.names import people_of
from brainlapse.cohort.sites import tabulate_places
from brainlapse.cohort.tables import SCAN

STEP_COLUMNS = [
    *("factor", "compared", "region", "place", "reference", "step_pct", "step_low_pct"),
    *("step_high_pct", "people", "scans", "note"),
]
WITHIN, BETWEEN = "within people", "between people"
FEWEST = 5  # people of a place that is compared between people
FEWEST_CHANGING = 10  # people with scans at a place and elsewhere, for within people
REFUSED = "refused: "


@dataclass(frozen=True)
class Comparison:
    """Rows of which the places are compared, with what else the volumes depend on.

    Attributes
    ----------
    rows
        person, place and log_volume.
    places
        Columns of all places but the reference, float (N, K).
    others
        Columns of what else there is, float (N, L).
    names
        Of the K places.
    reference
        The place with the most people.
    """

    rows: pd.DataFrame
    places: np.ndarray
    others: np.ndarray
    names: list[str]
    reference: str

    @property
    def freedom(self) -> int:
        """Degrees of freedom that are left."""
        rank = int(np.linalg.matrix_rank(self.others))
        return len(self.rows) - self.places.shape[1] - rank

    def fault(self) -> str | None:
        """Say why the places can't be told from the rest, if so."""
        if not self.names:
            return "one place only has volumes"
        if is_deficient(self.places, self.others) or self.freedom < 1:
            return "the rank of the design is too low"
        share = largest_share(self.places - self.places.mean(axis=0), self.others)
        return f"all else explains {100 * share:.0f} % of a place" if share >= NEARLY else None


def tabulate_steps(
    volumes: pd.DataFrame, scans: pd.DataFrame, quality: pd.DataFrame
) -> pd.DataFrame:
    """Estimate the step of each region's native volume from one place to another.

    Parameters
    ----------
    volumes
        ``volumes/volumes.tsv``.
    scans
        ``cohort/scans.tsv``, with the user's columns.
    quality
        ``preprocess/qc.tsv``: only accepted scans count.

    Returns
    -------
    pandas.DataFrame
        ``STEP_COLUMNS``. Where at least 10 people change places, least squares of the log volume
        on person, place, visit and years since the first visit; the 95 % interval is the sandwich
        of people, t with their number less 1. Else one mean per person on place, age, age squared,
        sex and diagnosis, with a t interval. Where places can't be told from the rest, one row
        without numbers says so.
    """
    accepted = quality.loc[quality["status"] == "accepted", SCAN]
    known = scans.merge(accepted, on=SCAN).dropna(subset=["age_years"]).reset_index(drop=True)
    known["person"] = people_of(known)
    records = []
    for factor, places in tabulate_places(known).items():
        placed = known.assign(place=places).dropna(subset=["place"])
        if placed["place"].nunique() < 2:
            continue
        changing = _changing(placed)
        if len(changing) >= FEWEST_CHANGING or 2 * len(changing) > placed["person"].nunique():
            compared, found = WITHIN, _steps_within(volumes, placed)
        else:
            rest = placed[~placed["person"].isin(changing)]
            compared, found = BETWEEN, _steps_between(volumes, rest)
        records += [{"factor": factor, "compared": compared, **row} for row in found]
    return pd.DataFrame(records, columns=STEP_COLUMNS).round(6)


def _changing(placed: pd.DataFrame) -> list[str]:
    counts = placed.groupby("person")["place"].nunique()
    return counts.index[counts > 1].tolist()


def _steps_within(volumes: pd.DataFrame, placed: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare places by the people who change them."""
    moved = placed[placed["person"].isin(_changing(placed))]
    people = moved.groupby("place")["person"].nunique()
    kept = people.index[people >= FEWEST_CHANGING]
    placed = placed[placed["place"].isin(kept)]
    if len(kept) < 2:
        return [_refusal(f"fewer than {FEWEST_CHANGING} people change between two places")]
    why = "a step can't be told from ageing where people change places at the same visit"
    if fault := _within(placed.assign(log_volume=0.0)).fault():
        return [_refusal(f"{why} ({fault})")]
    measured = _log_volumes(volumes, ("aligned", "real"))
    return [
        row
        for region, rows in _by_region(measured, placed)
        for row in _fitted(region, _within(rows), why, robust=True)
    ]


def _within(rows: pd.DataFrame) -> Comparison:
    rows = rows[rows.groupby("person")["place"].transform("size") > 1]
    people = rows["person"].to_numpy(str)
    columns, names, reference = _place_columns(rows)
    logs = less_means(rows[["log_volume"]].to_numpy(float), people)[:, 0]
    return Comparison(
        rows.assign(log_volume=logs),
        less_means(columns, people),
        visit_columns(rows, people),
        names,
        reference,
    )


def _steps_between(volumes: pd.DataFrame, placed: pd.DataFrame) -> list[dict[str, Any]]:
    """Compare places by the people who are at one only."""
    covariates = [name for name in ("sex", "diagnosis") if placed[name].notna().any()]
    placed = placed.dropna(subset=covariates)
    placed = placed[placed.groupby("place")["person"].transform("nunique") >= FEWEST]
    needed = ", ".join(["age", *covariates])
    if placed["place"].nunique() < 2:
        return [_refusal(f"fewer than two places have {FEWEST} people with known {needed}")]
    one = placed.drop_duplicates("person").assign(log_volume=0.0)
    if have_gap(one["place"], one["age_years"]):
        return [_refusal("the people of some places are of other ages than all others")]
    why = f"a step can't be told from {needed}"
    if fault := _between(one, covariates).fault():
        return [_refusal(f"{why} ({fault})")]
    measured = _log_volumes(volumes, ("real",))
    return [
        row
        for region, rows in _by_region(measured, placed)
        for row in _fitted(region, _between(rows, covariates), why, robust=False)
    ]


def _between(rows: pd.DataFrame, covariates: list[str]) -> Comparison:
    person = rows.groupby("person", as_index=False, sort=True)
    means = person[["log_volume", "age_years"]].mean()
    first = person[["place", *covariates]].first()
    rows = means.merge(first, on="person")
    columns, names, reference = _place_columns(rows)
    age = rows["age_years"].to_numpy(float)
    age = age - age.mean()
    groups = [dummies(rows[name])[:, 1:] for name in covariates]
    others = np.column_stack([np.ones(len(rows)), age, age**2, *groups])
    return Comparison(rows, columns, others, names, reference)


def _place_columns(rows: pd.DataFrame) -> tuple[np.ndarray, list[str], str]:
    """Columns of all places but the one with the most people, their names, and that one."""
    people = rows.groupby("place")["person"].nunique()
    reference = str(people.idxmax())
    names = sorted(set(people.index) - {reference})
    return (rows["place"].to_numpy()[:, None] == np.array(names)).astype(float), names, reference


def _fitted(region: str, case: Comparison, why: str, *, robust: bool) -> list[dict[str, Any]]:
    if fault := case.fault():
        return [{"region": region, **_refusal(f"{why} ({fault})")}]
    steps, halves = fit_steps(case, robust=robust)
    people = case.rows.groupby("place")["person"].nunique()
    return [
        {
            "region": region,
            "place": name,
            "reference": case.reference,
            "step_pct": 100 * np.expm1(step),
            "step_low_pct": 100 * np.expm1(step - half),
            "step_high_pct": 100 * np.expm1(step + half),
            "people": people[name],
            "scans": int((case.rows["place"] == name).sum()),
        }
        for name, step, half in zip(case.names, steps, halves, strict=True)
    ]


def fit_steps(case: Comparison, *, robust: bool) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of the log volumes on places and all else.

    Returns
    -------
    steps, halves
        Of each place but the reference: step of the log volume and half its 95 % interval. Robust:
        of the sandwich of people with the usual correction for their number (Liang and Zeger 1986).
    """
    logs = case.rows["log_volume"].to_numpy(float)[:, None]
    places, left = left_over(case.places, case.others), left_over(logs, case.others)
    bread = np.linalg.inv(places.T @ places)
    steps = (bread @ places.T @ left)[:, 0]
    errors = left[:, 0] - places @ steps
    freedom = case.freedom
    if robust:
        scores = pd.DataFrame(places * errors[:, None]).groupby(case.rows["person"].to_numpy(str))
        sums = scores.sum().to_numpy()
        count = len(sums)
        factor = count / (count - 1) * (len(logs) - 1) / freedom
        variance, freedom = factor * bread @ (sums.T @ sums) @ bread, count - 1
    else:
        variance = bread * (errors @ errors) / freedom
    return steps, stats.t.ppf(0.975, freedom) * np.sqrt(np.diag(variance))


def _log_volumes(volumes: pd.DataFrame, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Log native volumes of real scans, of the first kind that a scan has."""
    found = volumes[volumes["kind"].isin(kinds) & (volumes["native_volume_mm3"] > 0)]
    found = found.sort_values("kind", key=lambda kind: kind.map(kinds.index), kind="stable")
    found = found.drop_duplicates([*SCAN, "region"])
    logs = np.log(found["native_volume_mm3"].astype(float))
    return found[[*SCAN, "region"]].assign(log_volume=logs)


def _by_region(measured: pd.DataFrame, placed: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    rows = measured.merge(placed, on=SCAN)
    return [(str(region), part) for region, part in rows.groupby("region", sort=False)]


def _refusal(why: str) -> dict[str, str]:
    return {"note": f"{REFUSED}{why}"}
