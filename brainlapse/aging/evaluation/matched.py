"""Error against the number of scans seen, on the same targets from the same last scan.

With the first n scans seen, more scans mean a shorter way to the target, and even a copy of the
last scan improves. Here n counts the scans up to one last scan, so only what is seen changes.
"""

import pandas as pd

from brainlapse.aging.evaluation.bootstrap import over_subjects

MATCHED_COLUMNS = [
    *("split", "n_scans_so_far", "method", "n_scans_seen", "region", "n", "n_subjects"),
    *("mean_abs_error_pct", "low_pct", "high_pct"),
    *("gain_pct", "gain_low_pct", "gain_high_pct"),
]


def match_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Compare numbers of scans seen.

    Parameters
    ----------
    errors
        Errors of all forecasts, also those that see the last scans only.

    Returns
    -------
    pd.DataFrame
        ``MATCHED_COLUMNS``: for each split, number of scans so far, method and number of scans
        seen, the mean over subjects with its 95 % bootstrap interval; and the gain in error over
        the fewest scans that the method can do with, paired. Only targets that the method
        forecasts from every number of scans count.
    """
    keys = ["split", "n_scans_so_far", "method", "region"]
    per_target = [*keys, "dataset", "subject", "scan"]
    numbers = errors.groupby(keys)["n_scans_seen"].transform("nunique")
    complete = errors.groupby(per_target)["n_scans_seen"].transform("nunique") == numbers
    table = errors[complete & (numbers > 1)]
    fewest = table.groupby(keys)["n_scans_seen"].transform("min") == table["n_scans_seen"]
    before = table.loc[fewest, [*per_target, "abs_error_pct"]]
    before = before.rename(columns={"abs_error_pct": "fewest_pct"})
    table = table.merge(before, on=per_target, validate="many_to_one")
    table["gain"] = table["fewest_pct"] - table["abs_error_pct"]
    records = []
    for values, rows in table.groupby([*keys, "n_scans_seen"], sort=True):
        split, so_far, method, region, number = values
        error, gain = over_subjects(rows, "abs_error_pct"), over_subjects(rows, "gain")
        found = [error.mean, error.low, error.high, gain.mean, gain.low, gain.high]
        row = [split, so_far, method, number, region, len(rows), error.n_subjects, *found]
        records.append(dict(zip(MATCHED_COLUMNS, row, strict=True)))
    return pd.DataFrame(records, columns=MATCHED_COLUMNS)
