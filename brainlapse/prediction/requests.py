"""From a table of requests to a plan of forecasts; what can't be forecast gets a sentence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from brainlapse.aging.plan import (
    FORECAST_COLUMNS,
    count_rates,
    dated_scans,
    forecast_row,
    possible_methods,
)
from brainlapse.aging.settings import AgingSettings

ASKED = ["subject", "age_years"]
PLAN_COLUMNS = [*FORECAST_COLUMNS, "native_file", "note"]
REFUSED_COLUMNS = ["dataset", *ASKED, "reason"]
PREFERRED = ("bayes", "population_rate", "linear")
MOST_YEARS = 120.0


class RequestRefused(Exception):
    """A request that can't be answered; one sentence."""


class BadRequests(ValueError):
    """A table that is none of requests; one sentence."""


def read_requests(path: str | Path) -> pd.DataFrame:
    """Read a table of requests as people write it: subject, age_years, perhaps dataset.

    Raises
    ------
    BadRequests
        If it can't be read, or lacks a column.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, encoding="utf-8-sig", quoting=3)
    except (OSError, ValueError) as error:
        message = f"predict.requests: {path}: expected a table with tabs, found none ({error})"
        raise BadRequests(message) from None
    if missing := [name for name in ASKED if name not in table]:
        message = (
            f"predict.requests: {path}: expected the columns subject and age_years, separated by "
            f"tabs, found {', '.join(table.columns)}; {missing[0]} is missing"
        )
        raise BadRequests(message)
    return table.reindex(columns=["dataset", *ASKED])


def plan_requests(
    requests: pd.DataFrame,
    scans: pd.DataFrame,
    settings: AgingSettings,
    brought: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plan a forecast for every request that can be answered.

    All scans of known age of the person are seen. The method is the first of `PREFERRED` that the
    training subjects and the person's scans allow.

    Parameters
    ----------
    requests
        From `read_requests`.
    scans
        dataset, subject, session, scan, split, age_years and, if present, flagged.
    settings
        Of `aging`: min_seen_span_years counts, its methods do not.
    brought
        Methods whose rates came along with the model.

    Returns
    -------
    plan
        ``PLAN_COLUMNS``; ``file`` and ``native_file`` are relative to the folder of the model's
        predictions; ``note`` warns of ages that no training subject has.
    refused
        ``REFUSED_COLUMNS``.
    """
    dated = dated_scans(scans)
    trained = dated[dated["split"] == "train"]
    changing = count_rates(scans)
    settings = settings.model_copy(update={"methods": list(PREFERRED)})
    planned: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for cells in requests.to_dict("records"):
        request = {str(name): cell for name, cell in cells.items()}
        try:
            seen, age_years = _find(request, scans, dated)
            methods = possible_methods(seen, changing, settings, brought)
            row = _plan(seen, age_years, methods)
        except RequestRefused as reason:
            refused.append({**request, "reason": str(reason)})
            continue
        row["note"] = _warning(age_years, trained["age_years"])
        if row["file"] not in {other["file"] for other in planned}:
            planned.append(row)
    return (
        pd.DataFrame(planned, columns=PLAN_COLUMNS),
        pd.DataFrame(refused, columns=REFUSED_COLUMNS),
    )


def _find(
    request: dict[str, Any], scans: pd.DataFrame, dated: pd.DataFrame
) -> tuple[pd.DataFrame, float]:
    """Return the scans of the person in order of age, and the age asked for."""
    subject = str(request["subject"]).strip()
    subject = subject if subject.startswith("sub-") else f"sub-{subject}"
    chosen = scans["subject"] == subject
    if pd.notna(request["dataset"]):
        chosen &= scans["dataset"] == request["dataset"]
    datasets = sorted(scans.loc[chosen, "dataset"].unique())
    if not datasets:
        message = f"expected a subject with usable scans, found none of {subject}; see qc.tsv"
        raise RequestRefused(message)
    if len(datasets) > 1:
        message = f"{subject} stands in {', '.join(datasets)}: name one in the column dataset"
        raise RequestRefused(message)
    age_years = pd.to_numeric(request["age_years"], errors="coerce")
    if not 0 < age_years <= MOST_YEARS:
        message = f"expected an age up to {MOST_YEARS:g} years, found {request['age_years']}"
        raise RequestRefused(message)
    own = dated[(dated["subject"] == subject) & (dated["dataset"] == datasets[0])]
    if own.empty:
        message = f"expected a scan of known age that is not flagged, {subject} has none"
        raise RequestRefused(message)
    if (own["split"] == "train").any():
        message = (
            f"the models were trained on {subject}, so its forecast would look better than it is: "
            "give its data set the role apply, or its participant the split test"
        )
        raise RequestRefused(message)
    last = own["age_years"].iloc[-1]
    if age_years <= last:
        message = f"expected an age after the last scan, at {last:g} years, found {age_years:g}"
        raise RequestRefused(message)
    return own, float(age_years)


def _plan(seen: pd.DataFrame, age_years: float, methods: list[str]) -> dict[str, Any]:
    if not methods:
        message = (
            "one scan needs the rate of training subjects with two visits, of whom there are none; "
            "add a longitudinal data set of role fit, or a second scan, or take a bundle with rates"
        )
        raise RequestRefused(message)
    last = seen.iloc[-1]
    subject, age = last["subject"], f"age{age_years:g}".replace(".", "p")
    stem = f"{last['dataset']}/{subject}/{subject}"
    target = {**last[["dataset", "subject", "split"]], "session": None, "scan": f"{subject}_{age}"}
    return {
        **forecast_row({**target, "age_years": age_years}, seen, methods[0], len(seen)),
        "file": f"{stem}_space-MNI_desc-{age}_T1w.nii.gz",
        "native_file": f"{stem}_space-T1w_desc-{age}_T1w.nii.gz",
    }


def _warning(age_years: float, trained: pd.Series) -> str | None:
    if trained.empty:
        return "no training subject has a known age: an extrapolation of the own line"
    if trained.min() <= age_years <= trained.max():
        return None
    return f"training subjects are {trained.min():.1f} to {trained.max():.1f} years old"
