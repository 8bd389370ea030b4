"""Reading the tables of earlier stages so that empty and short ones do no harm."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.damage import DamagedFile

REJECTED = ("path", "reason", "stage", "dataset", "subject", "session", "scan")
ALTERNATIVES = ("dataset", "subject", "session", "scan", "path", "reason")
SCANS = ("dataset", "subject", "session", "scan", "age_years", "sex", "diagnosis", "split", "note")
QUALITY = ("dataset", "subject", "session", "scan", "status", "reasons")
VISITS = ("dataset", "subject", "session", "scan", "compared_with", "joined", "findings")
DOUBLES = (
    *("dataset", "subject", "scan", "other_dataset", "other_subject", "other_scan", "similarity"),
)
HISTORY = ("epoch",)
RECONSTRUCTION = ("dataset", "subject", "scan", "split", "ssim", "psnr_db", "mae", "mse", "file")
SUMMARY = ("method", "split", "dataset", "diagnosis", "n")
VOLUME_ERRORS = ("dataset", "scan", "split", "region", "error_pct", "abs_error_pct")
ERROR_MAPS = (
    *("dataset", "scan", "split", "norm_split", "people", "share_above_3", "peak_z"),
    *("peak_x_mm", "peak_y_mm", "peak_z_mm", "file"),
)
ANOMALY = (
    "dataset",
    "subject",
    "scan",
    "split",
    "diagnosis",
    "region",
    "mae",
    "z_train",
    "z_validation",
)
PCA_VARIANCE = ("component", "explained_variance_ratio")
SEPARATION = ("column", "split", "silhouette", "p_value", "people", "groups", "note")
SITE_AUDIT = ("factor", "task", "against", "association", "p_value", "verdict", "finding")
SITE_STEPS = ("factor", "compared", "region", "place", "reference", "step_pct", "note")
DIRECTIONS = ("task", "estimator", "toward", "n_scans", "n_subjects", "file", "note")
MODELS = ("model", "group", "measure", "split", "value", "ci_low", "ci_high", "best", "note")
NORMS = ("measure", "region", "sex", "age_years", "centile_5", "centile_50", "centile_95")
NORM_FITS = ("measure", "region", "people", "z_mean", "z_sd", "inside_share", "note")
NORM_SCORES = (
    "dataset",
    "subject",
    "sex",
    "diagnosis",
    "age_years",
    "measure",
    "region",
    "measured",
    "z_score",
    "outside_ages",
    "scored_by",
)
TASK_PREDICTIONS = ("dataset", "scan", "split", "true", "predicted", "score")
TASK_METRICS = ("task", "metric", "value", "baseline", "ci_low", "ci_high", "note")
FORECASTS = (
    "dataset",
    "subject",
    "session",
    "scan",
    "split",
    "method",
    "n_scans_seen",
    "last_scan",
    "last_age_years",
    "target_age_years",
    "horizon_years",
    "file",
)
ERRORS = (
    "subject",
    "scan",
    "method",
    "n_scans_seen",
    "horizon_years",
    "region",
    "abs_error_pct",
    "predicted_mm3",
    "last_observed_mm3",
)
PREDICTED = (
    "dataset",
    "subject",
    "scan",
    "region",
    "method",
    "predicted_mm3",
    "low_mm3",
    "high_mm3",
)
GROUP_RATES = ("dataset", "region", "diagnosis", "people", "mean_pct_per_year", "low", "high")
NOISE_FLOOR = ("kind", "region", "scans", "floor_pct", "largest_pct", "mean_pct")
MATCHED = ("split", "n_scans_so_far", "method", "n_scans_seen", "region", "mean_abs_error_pct")
CHOICE = ("region", "n_scans_seen", "method", "n_subjects", "mean_abs_error_pct", "reason")
COMPARISONS = ("split", "region", "n_scans_seen", "method", "than", "difference_pct")
CONTROL = ("measure", "method", "n_subjects", "gain", "shuffled_gain", "p_value")
IMAGE_SUMMARY = ("measure", "n_scans_seen", "method", "n_subjects", "mean", "mean_low", "mean_high")
COVERAGE = ("split", "method", "n_scans_seen", "region", "level", "interval", "coverage")
LINEARITY = ("dataset", "subject", "method", "region", "r2", "is_linear")
LINEARITY_CURVES = ("dataset", "subject", "method", "region", "alpha", "volume_mm3", "line_mm3")
LINEARITY_SUMMARY = ("method", "region", "n_changing", "median_r2", "not_linear_share")
INTERPOLATIONS = ("dataset", "subject", "scan_first", "scan_last", "method", "alpha", "file")
VOLUMES = (
    "dataset",
    "subject",
    "scan",
    "model",
    "kind",
    "method",
    "n_scans_seen",
    "region",
    "volume_mm3",
    "backend",
)


def read(path: str | Path, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a TSV; one that is not there, or has no rows, gives a table without rows.

    Parameters
    ----------
    path
        The table.
    columns
        Columns that the caller relies on; later ones that the file lacks are added without values.

    Raises
    ------
    DamagedFile
        If the file is cut, or has rows without the first of these columns.
    """
    table = runtime.read_table(path) if Path(path).exists() else pd.DataFrame()
    if len(table) and not set(columns[:1]) <= set(table):
        raise DamagedFile(path, f"expected the columns {', '.join(columns)}")
    for name in columns:
        if name not in table:
            table[name] = pd.Series(index=table.index, dtype=object)
    return table


def given(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as text, ``not given`` where it, or a value of it, is missing."""
    values = table[column] if column in table else pd.Series(pd.NA, index=table.index)
    return values.astype(object).where(values.notna(), "not given").astype(str)
