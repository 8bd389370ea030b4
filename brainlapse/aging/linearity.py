"""Whether regional volumes are linear between two scans when these are mixed (MRExtrap, Eq. 2).

The equation holds the volume of a mixed scan against the mixture of the *real* volumes of the two
scans: a decoder that shrinks all change, or always shows one volume, draws perfect lines and fails.
"""

import numpy as np
import pandas as pd
from scipy import stats

from brainlapse.aging.settings import AgingSettings

KEYS = ["dataset", "subject", "method"]
NUMBERS = [
    *("r2", "slope_ratio", "bias_pct", "straight_r2", "max_deviation_pct"),
    *("real_change_pct", "is_linear"),
]
LINEARITY_COLUMNS = [*KEYS, "region", *NUMBERS]
CURVE_COLUMNS = [*KEYS, "region", "alpha", "volume_mm3", "line_mm3"]
SUMMARY_COLUMNS = [
    *("method", "region", "n", "n_changing", "median_r2", "median_slope_ratio", "median_bias_pct"),
    *("median_straight_r2", "n_not_linear", "not_linear_share", "ci_low", "ci_high"),
]


def interpolated_volumes(
    volumes: pd.DataFrame, interpolations: pd.DataFrame, model: str
) -> pd.DataFrame:
    """Volumes along every way between two scans, beside the line between the real ones.

    Parameters
    ----------
    volumes : pd.DataFrame
        volumes.tsv: rows of kind ``interpolated`` of the model, and ``real`` ones.
    interpolations : pd.DataFrame
        interpolations.tsv of the model.
    model : str
        Name of the autoencoder.

    Returns
    -------
    pd.DataFrame
        ``CURVE_COLUMNS``; ``line_mm3`` = alpha first + (1 - alpha) last of the real volumes.
    """
    if volumes.empty or interpolations.empty:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    mixed = volumes[(volumes["kind"] == "interpolated") & (volumes["model"] == model)]
    mixed = mixed[[*KEYS, "region", "alpha", "volume_mm3"]]
    real = volumes.loc[volumes["kind"] == "real", ["dataset", "scan", "region", "volume_mm3"]]
    ends = interpolations[[*KEYS, "scan_first", "scan_last"]].drop_duplicates()
    curves = mixed.merge(ends, on=KEYS, validate="many_to_one")
    for end in ("first", "last"):
        named = real.rename(columns={"scan": f"scan_{end}", "volume_mm3": f"{end}_mm3"})
        keys = ["dataset", f"scan_{end}", "region"]
        curves = curves.merge(named, on=keys, validate="many_to_one")
    alpha = pd.to_numeric(curves["alpha"])
    line = alpha * curves["first_mm3"] + (1 - alpha) * curves["last_mm3"]
    curves = curves.assign(alpha=alpha, line_mm3=line)[CURVE_COLUMNS].dropna()
    return curves.sort_values([*KEYS, "region", "alpha"], ignore_index=True)


def measure_linearity(curves: pd.DataFrame, settings: AgingSettings) -> pd.DataFrame:
    """Hold every curve against its line.

    Parameters
    ----------
    curves : pd.DataFrame
        From `interpolated_volumes`.
    settings : AgingSettings
        `min_linearity_r2`, `min_linearity_change_pct`.

    Returns
    -------
    pd.DataFrame
        ``LINEARITY_COLUMNS``, see `hold_against_line`. ``is_linear`` is missing where the real
        volume changes too little. Curves of fewer than 3 volumes give no row.
    """
    records = []
    for keys, steps in curves.groupby([*KEYS, "region"], sort=True):
        if len(steps) < 3:
            continue
        numbers = hold_against_line(
            *(steps[name].to_numpy(float) for name in ("alpha", "volume_mm3", "line_mm3"))
        )
        changes = abs(numbers["real_change_pct"]) >= settings.min_linearity_change_pct
        is_linear = float(numbers["r2"] >= settings.min_linearity_r2) if changes else np.nan
        records.append(
            {**dict(zip([*KEYS, "region"], keys, strict=True)), **numbers, "is_linear": is_linear}
        )
    return pd.DataFrame(records, columns=LINEARITY_COLUMNS)


def hold_against_line(
    alpha: np.ndarray, volume_mm3: np.ndarray, line_mm3: np.ndarray
) -> dict[str, float]:
    """Compare volumes (n,) at ascending alphas (n,) with the line (n,) between the real volumes.

    Returns
    -------
    dict
        ``bias_pct``, mean difference from the line in percent of it: of the autoencoder, not of
        the mixing. ``r2`` of the line after that, 1 only where the real change is shown in full;
        below 0 where showing no change would do better. ``slope_ratio``, change shown per real
        change. ``straight_r2``, of the least squares line through the volumes themselves,
        whatever its slope. ``max_deviation_pct``, the largest distance from the line between the
        curve's own ends, of their mean. ``real_change_pct``, from first to last, of the first.
    """
    middle = line_mm3.mean()
    bias = (volume_mm3 - line_mm3).mean()
    real_spread = np.sum((line_mm3 - middle) ** 2)
    real_slope = np.polyfit(alpha, line_mm3, 1)[0]  # first - last
    slope, intercept = np.polyfit(alpha, volume_mm3, 1)
    spread = np.sum((volume_mm3 - volume_mm3.mean()) ** 2)
    tiny = 1e-12 * middle**2
    off_line = np.sum((volume_mm3 - bias - line_mm3) ** 2)
    off_straight = np.sum((volume_mm3 - slope * alpha - intercept) ** 2)
    chord = np.interp(alpha, alpha[[0, -1]], volume_mm3[[0, -1]])
    ends = np.mean(volume_mm3[[0, -1]])
    first_mm3 = line_mm3[0] + (1 - alpha[0]) * real_slope
    numbers = {
        "r2": 1 - off_line / real_spread if real_spread > tiny else np.nan,
        "slope_ratio": slope / real_slope if real_spread > tiny else np.nan,
        "bias_pct": 100 * bias / middle if middle > 0 else np.nan,
        "straight_r2": 1 - off_straight / spread if spread > tiny else np.nan,
        "max_deviation_pct": 100 * np.abs(volume_mm3 - chord).max() / ends if ends > 0 else np.nan,
        "real_change_pct": -100 * real_slope / first_mm3 if first_mm3 > 0 else np.nan,
    }
    return {name: float(number) for name, number in numbers.items()}


def summarise_linearity(table: pd.DataFrame) -> pd.DataFrame:
    """Tell by way and region how many of those whose volume changes are not linear.

    Returns
    -------
    pd.DataFrame
        ``SUMMARY_COLUMNS``: medians over the ``n_changing`` curves whose real volume changes
        enough, and the share of these that is not linear with its 95 % interval (Wilson).
    """
    records = []
    for (method, region), rows in table.groupby(["method", "region"], sort=True):
        changing = rows[rows["is_linear"].notna()]
        record = {"method": method, "region": region, "n": len(rows), "n_changing": len(changing)}
        if len(changing):
            names = ("r2", "slope_ratio", "bias_pct", "straight_r2")
            record |= {f"median_{name}": changing[name].median() for name in names}
            found = int((changing["is_linear"] == 0).sum())
            interval = stats.binomtest(found, len(changing)).proportion_ci(method="wilson")
            record |= {"n_not_linear": found, "not_linear_share": found / len(changing)}
            record |= {"ci_low": interval.low, "ci_high": interval.high}
        records.append(record)
    return pd.DataFrame(records, columns=SUMMARY_COLUMNS)
