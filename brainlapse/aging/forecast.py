"""Forecast and interpolated latent codes of a plan, and how near forecasts come to the truth."""

import numpy as np
import pandas as pd

from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.methods.named import LATENT_METHODS
from brainlapse.aging.people import Person, covariates_of
from brainlapse.aging.plan import (
    LATENT_ERRORS,
    OWN_SCANS_ONLY,
    WARPED,
    dated_scans,
    training_scans,
)
from brainlapse.aging.rates import Rates
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.tables import PERSON

SEEN = ["dataset", "subject", "n_scans_seen", "n_scans_so_far"]


class LatentTable:
    """Latent means looked up by dataset and scan.

    Parameters
    ----------
    latents : np.ndarray
        float32 (N, C, d, h, w).
    index : pd.DataFrame
        One row per latent, in the same order.
    """

    def __init__(self, latents: np.ndarray, index: pd.DataFrame) -> None:
        self._latents = latents
        self._row = {
            key: row for row, key in enumerate(zip(index["dataset"], index["scan"], strict=True))
        }

    def latents(self, dataset: str, scans: list[str]) -> np.ndarray:
        """Latents (k, C, d, h, w) of scans of one dataset."""
        return self._latents[[self._row[dataset, scan] for scan in scans]]


def gather_people(
    table: pd.DataFrame, latents: np.ndarray, index: pd.DataFrame
) -> dict[tuple[str, str], Person]:
    """Put the latents of each subject together, in order of age.

    Parameters
    ----------
    table : pd.DataFrame
        Dated scans, from `dated_scans`.
    latents : np.ndarray
        float32 (N, C, d, h, w).
    index : pd.DataFrame
        One row per latent, in the same order.
    """
    row = {key: n for n, key in enumerate(zip(index["dataset"], index["scan"], strict=True))}
    flat = latents.reshape(len(latents), -1)
    people: dict[tuple[str, str], Person] = {}
    for (dataset, subject), scans in table.groupby(["dataset", "subject"], sort=True):
        rows = [row[dataset, scan] for scan in scans["scan"]]
        ages = scans["age_years"].to_numpy(dtype=float)
        people[str(dataset), str(subject)] = Person(ages, flat[rows], covariates_of(scans))
    return people


def forecast_latents(
    plan: pd.DataFrame,
    latents: np.ndarray,
    index: pd.DataFrame,
    settings: AgingSettings,
    rates: Rates | None = None,
) -> np.ndarray:
    """Forecast latent codes, one per row of a plan whose methods the autoencoder decodes.

    Methods that nobody has fitted before (`rates`) are fitted on training subjects; of the subject
    forecast, only the scans named in ``seen_scans`` are read.

    Returns
    -------
    np.ndarray
        float32 (rows, C, d, h, w).

    Raises
    ------
    ValueError
        If the plan asks for a line or a rate that the scans do not give.
    """
    forecasts = np.empty((len(plan), *latents.shape[1:]), dtype=np.float32)
    if plan.empty:
        return forecasts
    rows = plan.reset_index(drop=True)
    known = rates.latents if rates else {}
    training = []
    if set(rows["method"]) - {*known, *OWN_SCANS_ONLY}:
        training = list(gather_people(training_scans(index), latents, index).values())
    asked = dated_scans(index).merge(rows[PERSON].drop_duplicates())
    people = gather_people(asked, latents, index)
    fit_settings = FitSettings(anchor=settings.anchor)
    for name, planned in rows.groupby("method"):
        method = str(name)
        fitted = known.get(method) or LATENT_METHODS[method](training, fit_settings)
        for _, targets in planned.groupby(SEEN):
            row = targets.iloc[0]
            start = row["n_scans_so_far"] - row["n_scans_seen"]
            person = people[row["dataset"], row["subject"]]
            seen = person.between(start, row["n_scans_so_far"])
            ages = targets["target_age_years"].to_numpy(dtype=float)
            codes = fitted.forecast(seen, ages).centre
            forecasts[targets.index] = codes.reshape(-1, *latents.shape[1:])
    return forecasts


def forecast_codes(
    plan: pd.DataFrame,
    latents: np.ndarray,
    index: pd.DataFrame,
    settings: AgingSettings,
    rates: Rates | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast the latent codes that rows of `BY_MODEL` rest on, and list those to decode.

    Returns
    -------
    tuple
        Forecasts (rows, C, d, h, w), and codes to decode (n, C, d, h, w) for `forecast_images`: the
        forecast of each row, after the code of the last scan seen where that is warped.
    """
    warped = plan["method"].str.endswith(WARPED)
    by = plan.assign(method=plan["method"].str.removesuffix(WARPED))
    forecasts = forecast_latents(by, latents, index, settings, rates)
    table, codes = LatentTable(latents, index), []
    for row, code, moves in zip(plan.to_dict("records"), forecasts, warped, strict=True):
        codes += [table.latents(row["dataset"], [row["last_scan"]])[0]] if moves else []
        codes.append(code)
    return forecasts, np.array(codes).reshape(-1, *latents.shape[1:])


def interpolated_latents(
    plan: pd.DataFrame, latents: np.ndarray, index: pd.DataFrame
) -> np.ndarray:
    """Interpolated latent codes, one per row of the plan, float32 (rows, C, d, h, w)."""
    table = LatentTable(latents, index)
    codes = np.empty((len(plan), *latents.shape[1:]), dtype=np.float32)
    for number, row in enumerate(plan.to_dict("records")):
        first, last = table.latents(row["dataset"], [row["scan_first"], row["scan_last"]])
        codes[number] = interpolate(first, last, row["alpha"])
    return codes


def interpolate(first: np.ndarray, last: np.ndarray, alpha: float) -> np.ndarray:
    """``alpha first + (1 - alpha) last`` (MRExtrap, Eq. 2), float32."""
    return (alpha * first.astype(np.float64) + (1 - alpha) * last).astype(np.float32)


def latent_errors(
    plan: pd.DataFrame, forecasts: np.ndarray, latents: np.ndarray, index: pd.DataFrame
) -> pd.DataFrame:
    """Root mean squared latent error of each forecast, and of the copy of the last scan.

    Returns
    -------
    pd.DataFrame
        latent_rmse, latent_rmse_copy, in latent units, one row per row of the plan, indexed as it.
    """
    table = LatentTable(latents, index)
    records = []
    for row, forecast in zip(plan.to_dict("records"), forecasts, strict=True):
        target, last = table.latents(row["dataset"], [row["scan"], row["last_scan"]])
        records.append(
            {
                "latent_rmse": float(np.sqrt(np.mean((forecast - target) ** 2))),
                "latent_rmse_copy": float(np.sqrt(np.mean((last - target) ** 2))),
            }
        )
    return pd.DataFrame(records, index=plan.index, columns=LATENT_ERRORS)
