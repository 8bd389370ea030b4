"""How near the images of forecasts come, as a table for the page."""

import pandas as pd

from brainlapse.figures import style

DIGITS = {"ssim": 3, "psnr_db": 1, "mae": 4, "change_correlation": 2}


def image_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a row per number of scans seen and method, a column per measure, in words.

    Parameters
    ----------
    summary
        ``image_summary.tsv``: means with 95 % intervals.
    """
    if summary.empty:
        return pd.DataFrame()
    first = summary.drop_duplicates(["n_scans_seen", "method"])
    table = first[["n_scans_seen", "method", "n_subjects"]].sort_values(
        "n_scans_seen", kind="stable"
    )
    for measure, rows in summary.groupby("measure", sort=False):
        words = [_words(row, DIGITS[str(measure)]) for row in rows.to_dict("records")]
        column = rows[["n_scans_seen", "method"]].assign(**{style.quantity(str(measure)): words})
        table = table.merge(column, on=["n_scans_seen", "method"], how="left")
    return table


def _words(row: dict, digits: int) -> str:
    mean = f"{row['mean']:.{digits}f}"
    if pd.isna(row["mean_low"]):
        return mean
    return f"{mean} ({row['mean_low']:.{digits}f} to {row['mean_high']:.{digits}f})"
