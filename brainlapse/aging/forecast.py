"""Forecast and interpolated latent codes of a plan, and how near forecasts come to the truth."""

import numpy as np
import pandas as pd

from brainlapse.aging import models
from brainlapse.aging.plan import rate_scans
from brainlapse.aging.settings import AgingSettings


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
        ages = pd.to_numeric(index["age_years"], errors="coerce")
        self._ages = ages.to_numpy(dtype=float)

    def rows(self, dataset: str, scans: list[str]) -> list[int]:
        """Rows of scans of one dataset, in the order given."""
        return [self._row[dataset, scan] for scan in scans]

    def latents(self, dataset: str, scans: list[str]) -> np.ndarray:
        """Latents (k, C, d, h, w) of scans of one dataset."""
        return self._latents[self.rows(dataset, scans)]

    def ages_years(self, dataset: str, scans: list[str]) -> np.ndarray:
        """Ages, float (k,), of scans of one dataset."""
        return self._ages[self.rows(dataset, scans)]


def population_rate(latents: np.ndarray, index: pd.DataFrame) -> np.ndarray | None:
    """Mean latent change per year over training subjects; None if none has two ages.

    Parameters
    ----------
    latents : np.ndarray
        float32 (N, C, d, h, w).
    index : pd.DataFrame
        One row per latent, in the same order; scans of other splits are not looked at.
    """
    training = rate_scans(index)
    if training.empty:
        return None
    keys = list(zip(training["dataset"], training["scan"], strict=True))
    row = {key: n for n, key in enumerate(zip(index["dataset"], index["scan"], strict=True))}
    groups = (training["dataset"] + "/" + training["subject"]).to_numpy(dtype=str)
    ages = training["age_years"].to_numpy(dtype=float)
    return models.mean_rate(ages, latents[[row[key] for key in keys]], groups)


def forecast_latents(
    plan: pd.DataFrame, latents: np.ndarray, index: pd.DataFrame, settings: AgingSettings
) -> np.ndarray:
    """Forecast latent codes, one per row of the plan.

    Of the subject forecast, only the scans named in ``seen_scans`` are read.

    Returns
    -------
    np.ndarray
        float32 (rows, C, d, h, w).

    Raises
    ------
    ValueError
        If the plan asks for a line or a rate that the scans do not give.
    """
    table = LatentTable(latents, index)
    rate = population_rate(latents, index)
    forecasts = np.empty((len(plan), *latents.shape[1:]), dtype=np.float32)
    for number, row in enumerate(plan.to_dict("records")):
        seen = row["seen_scans"].split(",")
        ages = table.ages_years(row["dataset"], seen)
        codes = table.latents(row["dataset"], seen)
        if row["method"] == "linear":
            line = models.fit_line(ages, codes)
        elif rate is not None:
            line = models.start_from(ages, codes, rate, settings.anchor)
        else:
            message = "population_rate is planned, but no training subject has scans at two ages"
            raise ValueError(message)
        forecasts[number] = line.at(row["target_age_years"])
    return forecasts


def interpolated_latents(
    plan: pd.DataFrame, latents: np.ndarray, index: pd.DataFrame
) -> np.ndarray:
    """Interpolated latent codes, one per row of the plan, float32 (rows, C, d, h, w)."""
    table = LatentTable(latents, index)
    codes = np.empty((len(plan), *latents.shape[1:]), dtype=np.float32)
    for number, row in enumerate(plan.to_dict("records")):
        first, last = table.latents(row["dataset"], [row["scan_first"], row["scan_last"]])
        codes[number] = models.interpolate(first, last, row["alpha"])
    return codes


def latent_errors(
    plan: pd.DataFrame, forecasts: np.ndarray, latents: np.ndarray, index: pd.DataFrame
) -> pd.DataFrame:
    """Root mean squared latent error of each forecast, and of the copy of the last scan.

    Returns
    -------
    pd.DataFrame
        latent_rmse, latent_rmse_copy, in latent units, one row per row of the plan.
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
    return pd.DataFrame(records, columns=["latent_rmse", "latent_rmse_copy"])


def masked_mae(image: np.ndarray, target: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute intensity difference inside a mask; all (D, H, W), intensities 0-1."""
    inside = mask > 0
    return float(np.mean(np.abs(image[inside] - target[inside]))) if inside.any() else np.nan
