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
TARGET = ["dataset", "subject", "scan", "n_scans_so_far", "region"]


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
    records = []
    for values, rows in errors.groupby(keys, sort=True):
        numbers = sorted(rows["n_scans_seen"].unique())
        complete = rows.groupby(TARGET)["n_scans_seen"].transform("nunique") == len(numbers)
        rows = rows[complete]
        if rows.empty or len(numbers) < 2:
            continue
        fewest = rows[rows["n_scans_seen"] == numbers[0]].set_index(TARGET)["abs_error_pct"]
        for number in numbers:
            mine = rows[rows["n_scans_seen"] == number]
            before = fewest.reindex(pd.MultiIndex.from_frame(mine[TARGET])).to_numpy()
            error = over_subjects(mine, "abs_error_pct")
            gain = over_subjects(mine.assign(gain=before - mine["abs_error_pct"]), "gain")
            found = [error.mean, error.low, error.high, gain.mean, gain.low, gain.high]
            counts = {"n_scans_seen": number, "n": len(mine), "n_subjects": error.n_subjects}
            named = dict(zip(keys, values, strict=True)) | counts
            records.append(named | dict(zip(MATCHED_COLUMNS[7:], found, strict=True)))
    return pd.DataFrame(records, columns=MATCHED_COLUMNS)
