"""Yearly change as a biomarker: groups beside each other, what one person or a trial could show."""

import numpy as np
import pandas as pd
from scipy import stats

RATE = "rate_pct_per_year"
GROUP_COLUMNS = [
    *("dataset", "region", "diagnosis", "people", "mean_pct_per_year", "low", "high"),
    *("sd_pct_per_year", "difference_pct_per_year", "difference_low", "difference_high"),
    *("cohens_d", "detectable_pct_per_year", "people_per_arm"),
]
FEWEST = 3  # people of a group: fewer tell nothing of a spread
SLOWING = 0.25  # share of the mean rate that a trial is to show
POWER, ALPHA = 0.8, 0.05
UNKNOWN = "n/a"  # diagnosis of those without one


def tabulate_groups(rates: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Summarise rates by data set, region and diagnosis.

    Parameters
    ----------
    rates
        From `tabulate_rates`.
    scans
        dataset, subject and diagnosis.

    Returns
    -------
    pandas.DataFrame
        ``GROUP_COLUMNS``. Mean with its 95 % interval (t) and SD of the people's rates [% per
        year]; difference to all others of the data set who have a diagnosis, with its 95 %
        interval (Welch) and Cohen's d; ``detectable``: by how much two rates of one person have
        to differ to be told apart, 1.96 sqrt(2) median standard errors; ``people_per_arm`` of a
        trial that would show a mean rate slowed by a quarter with a power of 80 % at 5 %, two
        sided (Lachin 1981), where the mean rate is no zero. Groups of fewer than 3 have no
        numbers.
    """
    people = scans[["dataset", "subject", "diagnosis"]].drop_duplicates(["dataset", "subject"])
    known = rates.merge(people, on=["dataset", "subject"], how="left", validate="many_to_one")
    known["diagnosis"] = known["diagnosis"].fillna(UNKNOWN).astype(str)
    records = []
    for (dataset, region), rows in known.groupby(["dataset", "region"], sort=False):
        for diagnosis, mine in rows.groupby("diagnosis", sort=True):
            others = rows[~rows["diagnosis"].isin([diagnosis, UNKNOWN])]
            described = _describe(mine[RATE])
            compared = others[RATE] if diagnosis != UNKNOWN else others[RATE].iloc[:0]
            records.append(
                {
                    **{"dataset": dataset, "region": region, "diagnosis": diagnosis},
                    **described,
                    **_compare(mine[RATE], compared),
                    **_detect(described, mine["standard_error"]),
                }
            )
    return pd.DataFrame(records, columns=GROUP_COLUMNS).round(6)


def _describe(rates: pd.Series) -> dict[str, float]:
    if len(rates) < FEWEST:
        return {"people": len(rates)}
    half = stats.t.ppf(1 - ALPHA / 2, len(rates) - 1) * rates.std() / np.sqrt(len(rates))
    return {
        "people": len(rates),
        "mean_pct_per_year": rates.mean(),
        "low": rates.mean() - half,
        "high": rates.mean() + half,
        "sd_pct_per_year": rates.std(),
    }


def _compare(rates: pd.Series, others: pd.Series) -> dict[str, float]:
    if min(len(rates), len(others)) < FEWEST:
        return {}
    interval = stats.ttest_ind(rates, others, equal_var=False).confidence_interval(1 - ALPHA)
    freedom = len(rates) + len(others) - 2
    squares = rates.var() * (len(rates) - 1) + others.var() * (len(others) - 1)
    difference = rates.mean() - others.mean()
    return {
        "difference_pct_per_year": difference,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "cohens_d": difference / np.sqrt(squares / freedom),
    }


def _detect(numbers: dict[str, float], errors: pd.Series) -> dict[str, float]:
    if numbers["people"] < FEWEST:
        return {}
    of_one = stats.norm.ppf(1 - ALPHA / 2) * np.sqrt(2) * errors.median()
    if numbers["low"] <= 0 <= numbers["high"]:
        return {"detectable_pct_per_year": of_one}
    effect = SLOWING * numbers["mean_pct_per_year"] / numbers["sd_pct_per_year"]
    quantiles = stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(POWER)
    per_arm = np.ceil(2 * (quantiles / effect) ** 2)
    return {"detectable_pct_per_year": of_one, "people_per_arm": per_arm}
