"""Columns of the tables of volumes and rates."""

from brainlapse.cohort.tables import PERSON

RATE_COLUMNS = [
    *(*PERSON, "region", "kind", "visits", "span_years", "mean_native_volume_mm3"),
    *("rate_pct_per_year", "standard_error", "scatter_pct"),
]
IDENTITY = ["dataset", "subject", "session", "scan"]
DETAILS = ["method", "n_scans_seen", "n_scans_so_far", "alpha"]
JOB_COLUMNS = ["dataset", "model", "kind"]
MEASURED_COLUMNS = [*JOB_COLUMNS, "file", "region", "volume_mm3", "backend"]
QUALITY_COLUMNS = [*IDENTITY, "status", "affine_determinant", "intracranial_ml"]
FORECAST_COLUMNS = [*IDENTITY, *DETAILS[:3], "last_scan", "file"]
INTERPOLATION_COLUMNS = ["dataset", "subject", "method", "alpha", "file"]
VOLUME_COLUMNS = [
    *(*IDENTITY, "model", "kind", *DETAILS),
    *("region", "volume_mm3", "native_volume_mm3", "intracranial_share", "backend"),
]
