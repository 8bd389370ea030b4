"""Yearly change of the regions of each person, from the volumes of all of the person's visits."""

import numpy as np
import pandas as pd

from brainlapse.cohort.tables import PERSON, SCAN
from brainlapse.segmentation.columns import RATE_COLUMNS

MIN_SPAN_YEARS = 0.05  # visits of one week tell nothing of a year


def tabulate_rates(
    volumes: pd.DataFrame, scans: pd.DataFrame, quality: pd.DataFrame
) -> pd.DataFrame:
    """Fit a line through the logarithm of each region's native volume of each person.

    Parameters
    ----------
    volumes
        ``volumes/volumes.tsv``: of a person's visits those aligned at 1 mm count, where there are
        none the real ones.
    scans
        ``cohort/scans.tsv``, for the ages.
    quality
        ``preprocess/qc.tsv``: only accepted visits count.

    Returns
    -------
    pandas.DataFrame
        ``RATE_COLUMNS``, a row per person with two ages and region: number of visits and their
        span [years]; mean volume; slope [% per year] with its standard error; and the scatter
        [%] of the visits about the lines of the data set, from which the errors come. Without
        anybody with three visits there is no scatter, and no error.
    """
    accepted = quality.loc[quality["status"] == "accepted", SCAN]
    known = _measured(volumes).merge(accepted, on=SCAN).merge(scans[[*SCAN, "age_years"]], on=SCAN)
    known = known.dropna(subset=["age_years"])
    known = known[known["native_volume_mm3"] > 0]
    fits = [
        {**dict(zip((*PERSON, "region", "kind"), key, strict=True)), **_fit(visits)}
        for key, visits in known.groupby([*PERSON, "region", "kind"], sort=False)
        if np.ptp(visits["age_years"]) >= MIN_SPAN_YEARS
    ]
    if not fits:
        return pd.DataFrame(columns=RATE_COLUMNS)
    return _with_errors(pd.DataFrame(fits))[RATE_COLUMNS].round(6)


def _measured(volumes: pd.DataFrame) -> pd.DataFrame:
    """Volumes of real scans, at 1 mm where a person has them."""
    aligned = volumes[volumes["kind"] == "aligned"]
    people = pd.MultiIndex.from_frame(aligned[PERSON].drop_duplicates())
    real = volumes[volumes["kind"] == "real"]
    others = real[~pd.MultiIndex.from_frame(real[PERSON]).isin(people)]
    return pd.concat([aligned, others], ignore_index=True)


def _fit(visits: pd.DataFrame) -> dict[str, float]:
    ages = visits["age_years"].to_numpy(float)
    logs = np.log(visits["native_volume_mm3"].to_numpy(float))
    centred = ages - ages.mean()
    spread = float(centred @ centred)
    slope = float(centred @ logs / spread)
    left = logs - logs.mean() - slope * centred
    return {
        "visits": len(ages),
        "span_years": float(np.ptp(ages)),
        "mean_native_volume_mm3": float(visits["native_volume_mm3"].mean()),
        "rate_pct_per_year": 100 * slope,
        "squares": float(left @ left),
        "spread": spread,
    }


def _with_errors(fits: pd.DataFrame) -> pd.DataFrame:
    """Add the scatter that a data set's people share, for one person's hardly has freedom."""
    group = fits.groupby(["dataset", "region", "kind"])
    freedom = group["visits"].transform("sum") - 2 * group["visits"].transform("size")
    variance = group["squares"].transform("sum") / freedom.where(freedom > 0)
    return fits.assign(
        scatter_pct=100 * np.sqrt(variance),
        standard_error=100 * np.sqrt(variance / fits["spread"]),
    )
