"""How straight regional volumes run between two scans when their latents are mixed (Eq. 2)."""

import numpy as np
import pandas as pd

LINEARITY_COLUMNS = ["dataset", "subject", "region", "r2", "slope_mm3", "max_deviation_pct"]


def measure_linearity(volumes: pd.DataFrame, model: str) -> pd.DataFrame:
    """Straightness of volume against alpha, for each interpolated subject and region.

    Parameters
    ----------
    volumes : pd.DataFrame
        volumes.tsv; its rows of kind ``interpolated`` are used.
    model : str
        Name of the autoencoder.

    Returns
    -------
    pd.DataFrame
        ``LINEARITY_COLUMNS``. ``r2`` and ``slope_mm3`` (volume of the first scan minus that of
        the last) are of the least squares line; ``max_deviation_pct`` is the largest distance
        from the straight line between the two ends, in percent of their mean volume. Fewer than
        3 volumes give no row.
    """
    if volumes.empty:
        return pd.DataFrame(columns=LINEARITY_COLUMNS)
    chosen = (volumes["kind"] == "interpolated") & (volumes["model"] == model)
    rows = volumes[chosen & volumes["volume_mm3"].notna()]
    records = []
    for keys, steps in rows.groupby(["dataset", "subject", "region"], sort=True):
        if len(steps) < 3:
            continue
        steps = steps.assign(alpha=pd.to_numeric(steps["alpha"])).sort_values("alpha")
        numbers = straightness(steps["alpha"].to_numpy(float), steps["volume_mm3"].to_numpy(float))
        records.append({**dict(zip(LINEARITY_COLUMNS[:3], keys, strict=True)), **numbers})
    return pd.DataFrame(records, columns=LINEARITY_COLUMNS)


def straightness(alpha: np.ndarray, volume_mm3: np.ndarray) -> dict[str, float]:
    """r2, slope_mm3 and max_deviation_pct of volumes (n,) at ascending alphas (n,).

    ``r2`` is NaN where the volume does not change at all.
    """
    slope, intercept = np.polyfit(alpha, volume_mm3, 1)
    residual = volume_mm3 - (slope * alpha + intercept)
    spread = np.sum((volume_mm3 - volume_mm3.mean()) ** 2)
    chord = np.interp(alpha, alpha[[0, -1]], volume_mm3[[0, -1]])
    middle = np.mean(volume_mm3[[0, -1]])
    deviation = 100 * np.max(np.abs(volume_mm3 - chord)) / middle if middle > 0 else np.nan
    r2 = 1 - np.sum(residual**2) / spread if spread > 1e-12 * volume_mm3.mean() ** 2 else np.nan
    return {"r2": float(r2), "slope_mm3": float(slope), "max_deviation_pct": float(deviation)}
