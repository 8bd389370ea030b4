"""Whether data set, site or scanner passes for diagnosis, sex, age, split or time: an audit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from brainlapse.analysis.permutation import permutation_test
from brainlapse.analysis.sites.designs import (
    NEARLY,
    dummies,
    is_deficient,
    largest_share,
    less_means,
    visit_columns,
)
from brainlapse.cohort.columns import find_named, plain_name
from brainlapse.cohort.people.names import class_name, people_of
from brainlapse.cohort.sites import SCANNER_COLUMNS, SITE_COLUMNS, tabulate_places

AUDIT_COLUMNS = [
    *("task", "factor", "against", "statistic", "association", "p_value"),
    *("people", "groups", "verdict", "finding"),
]
AGAINST = ("diagnosis", "sex", "age_years", "split")
PLACE_COLUMNS = ("dataset", *SITE_COLUMNS, *SCANNER_COLUMNS)
FEWEST = 3  # people of a place: fewer say nothing of it
NUMBERS = 10  # a column of more different numbers is no group
ALPHA = 0.05
PERMUTATIONS = 999
CONFOUNDED, ASSOCIATED, APART, UNKNOWN = "confounded", "associated", "apart", "unknown"
CONSEQUENCES = {
    "split": "errors on people held out are those of another {factor} as well",
    "time": "a step of the {factor} can't be told from ageing, and rates of change hold it",
}
CONSEQUENCE = "what is found of {against} may as well be the {factor}'s"


def audit_places(
    scans: pd.DataFrame, tasks: Sequence[Mapping[str, Any]], seed: int
) -> pd.DataFrame:
    """Say of data set, site and scanner what they can't be told from.

    Parameters
    ----------
    scans
        Usable rows of scans.tsv, with the user's columns.
    tasks
        name, target and, where it has any, datasets and classes of each task: its target is
        audited among its scans.
    seed
        Seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        ``AUDIT_COLUMNS``. Confounded: the design of both has a lower rank than theirs together,
        or they are the same but for a tenth (Cramer's V; of numbers eta squared, or ranges, 5th to
        95th percentile, with a gap between places; of time the share of the change of places
        within people that the visits explain). Associated: p of a permutation test over people is
        at most 0.05. The split is audited among the data sets that train.
    """
    records = []
    for factor, places in tabulate_places(scans).items():
        if places.nunique() < 2:
            found = "one" if places.nunique() else "no table names a"
            records.append(_unknown(str(factor), None, f"{found} {factor}"))
            continue
        for against in AGAINST:
            rows = (scans["role"] == "fit") if against == "split" else places.notna()
            records.append(_audit(scans[rows], places[rows], str(factor), against, seed))
        records.append(_audit_time(scans[places.notna()], places.dropna(), str(factor)))
    for task in tasks:
        records += _audit_task(scans, task, seed)
    return pd.DataFrame(records, columns=AUDIT_COLUMNS).round(6)


def _audit_task(scans: pd.DataFrame, task: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    target = find_named(task["target"], scans.columns)
    if target is None or plain_name(target) in PLACE_COLUMNS:
        return []
    mine = scans
    if task.get("datasets"):
        mine = mine[mine["dataset"].isin(task["datasets"])]
    if task.get("classes"):
        mine = mine[mine[target].map(class_name).isin(task["classes"])]
    return [
        {"task": task["name"], **_audit(mine, places, str(factor), target, seed)}
        for factor, places in tabulate_places(mine).items()
        if len(places.dropna().unique()) > 1
    ]


def _unknown(factor: str, against: str | None, finding: str) -> dict[str, Any]:
    return {"factor": factor, "against": against, "verdict": UNKNOWN, "finding": finding}


def _audit(
    scans: pd.DataFrame, places: pd.Series, factor: str, against: str, seed: int
) -> dict[str, Any]:
    """Hold places against one column, on one row per person and place."""
    values = scans[against] if against in scans else pd.Series(None, index=scans.index)
    numeric = is_numeric_dtype(values) and values.nunique() > NUMBERS
    known = pd.DataFrame(
        {
            "person": people_of(scans),
            "place": places.to_numpy(),
            "value": values.to_numpy() if numeric else values.map(class_name).to_numpy(),
        }
    ).dropna()
    grouped = known.groupby(["person", "place"], as_index=False, sort=True)["value"]
    rows = grouped.mean() if numeric else grouped.first()
    rows = rows[rows.groupby("place")["person"].transform("nunique") >= FEWEST]
    if rows["place"].nunique() < 2 or rows["value"].nunique() < 2:
        finding = (
            f"expected {against} of {FEWEST} people in each of two places, and two values of it; "
            f"found {rows['place'].nunique()} and {rows['value'].nunique()}"
        )
        return _unknown(factor, against, finding)
    judge = _judge_numbers if numeric else _judge_groups
    numbers, confounded = judge(rows["place"], rows["value"], seed)
    counts = {"people": rows["person"].nunique(), "groups": rows["place"].nunique()}
    return _verdict(factor, against, {**numbers, **counts}, confounded)


def _verdict(
    factor: str, against: str, numbers: dict[str, Any], confounded: bool
) -> dict[str, Any]:
    verdict, finding = APART, None
    if confounded:
        consequence = CONSEQUENCES.get(against, CONSEQUENCE).format(factor=factor, against=against)
        verdict, finding = CONFOUNDED, f"{against} can't be told from {factor}: {consequence}"
    elif numbers.get("p_value", 1.0) <= ALPHA:
        finding = f"{against} differs by {factor}: compare within one {factor}"
        verdict = ASSOCIATED
    named = {"factor": factor, "against": against}
    return {**named, **numbers, "verdict": verdict, "finding": finding}


def _judge_groups(places: pd.Series, values: pd.Series, seed: int) -> tuple[dict[str, Any], bool]:
    """Cramer's V with its p-value; whether the design is deficient, or nearly."""
    first, second = dummies(places), dummies(values)
    expected = np.outer(first.sum(axis=0), second.mean(axis=0))
    most = len(places) * (min(expected.shape) - 1)

    def cramers_v(order: np.ndarray) -> float:
        return float(np.sqrt(np.sum((first.T @ second[order] - expected) ** 2 / expected) / most))

    found, p_value = permutation_test(cramers_v, len(places), PERMUTATIONS, seed)
    deficient = is_deficient(first - first.mean(axis=0), second - second.mean(axis=0))
    numbers = {"statistic": "cramers_v", "association": found, "p_value": p_value}
    return numbers, deficient or found >= NEARLY


def _judge_numbers(places: pd.Series, values: pd.Series, seed: int) -> tuple[dict[str, Any], bool]:
    """Eta squared with its p-value; whether places share no values, or nearly none."""
    member, numbers = dummies(places), values.to_numpy(float)
    centred = numbers - numbers.mean()

    def eta_squared(order: np.ndarray) -> float:
        sums = centred[order] @ member
        return float(np.sum(sums**2 / member.sum(axis=0)) / (centred @ centred))

    found, p_value = permutation_test(eta_squared, len(places), PERMUTATIONS, seed)
    described = {"statistic": "eta_squared", "association": found, "p_value": p_value}
    return described, have_gap(places, values) or found >= NEARLY


def have_gap(places: pd.Series, values: pd.Series) -> bool:
    """Tell whether the ranges of places, 5th to 95th percentile, fall into parts."""
    grouped = values.astype(float).groupby(places.to_numpy())
    ranges = np.column_stack([grouped.quantile(share) for share in (0.05, 0.95)])
    ordered = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reached = np.maximum.accumulate(ordered[:, 1])
    return bool(np.any(ordered[1:, 0] > reached[:-1]))


def _audit_time(scans: pd.DataFrame, places: pd.Series, factor: str) -> dict[str, Any]:
    """Whether people change places at the same visit."""
    dated = scans["age_years"].notna()
    scans, places = scans[dated], places[dated]
    people = people_of(scans)
    changing = places.groupby(people).nunique()
    changing = changing[changing > 1]
    if changing.empty:
        return _unknown(factor, "time", f"nobody changes the {factor}")
    change = less_means(dummies(places), people)
    share = largest_share(change, visit_columns(scans, people))
    numbers = {"statistic": "time_share", "association": share, "groups": places.nunique()}
    return _verdict(factor, "time", {**numbers, "people": len(changing)}, share >= NEARLY)
