"""How far volumes differ when nothing changed: the noise floor of each region."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

REPEAT_COLUMNS = ("dataset", "scan", "kind", "region", "volume_mm3", "again_mm3")
FLOOR_COLUMNS = ("kind", "region", "scans", "floor_pct", "largest_pct", "mean_pct")


def choose_scans(paths: Iterable[str], number: int) -> list[str]:
    """Choose scans by a hash of their paths: further scans hardly change the choice."""
    ranked = sorted(paths, key=lambda path: hashlib.sha256(path.encode()).hexdigest())
    return ranked[:number]


def tabulate_repeats(
    scan: dict[str, str], kind: str, first: dict[str, float], again: dict[str, float]
) -> pd.DataFrame:
    """Return `REPEAT_COLUMNS` of one scan.

    Parameters
    ----------
    scan
        Its dataset and name.
    kind
        ``real``, on the grid of the models, or ``aligned``, at 1 mm.
    first, again
        Volume by region [mm3], of the scan and of the same scan turned and processed again.
    """
    records = [
        {**scan, "kind": kind, "region": region, "volume_mm3": first[region], "again_mm3": volume}
        for region, volume in again.items()
    ]
    return pd.DataFrame(records, columns=list(REPEAT_COLUMNS))


def measure_floor(repeats: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the noise floor of each kind and region.

    Parameters
    ----------
    repeats
        Tables with `REPEAT_COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        `FLOOR_COLUMNS`: number of scans; root mean square, largest size, and mean of the
        difference of the two volumes [% of the first].
    """
    filled = [table for table in repeats if len(table)]
    if not filled:
        return pd.DataFrame(columns=list(FLOOR_COLUMNS))
    table = pd.concat(filled, ignore_index=True)
    volumes = table[["volume_mm3", "again_mm3"]].apply(pd.to_numeric)
    table["difference_pct"] = 100 * (volumes["again_mm3"] / volumes["volume_mm3"] - 1)
    groups = table.dropna(subset=["difference_pct"]).groupby(["kind", "region"], sort=False)
    found = groups["difference_pct"].agg(
        scans="size",
        floor_pct=lambda values: np.sqrt((values**2).mean()),
        largest_pct=lambda values: values.abs().max(),
        mean_pct="mean",
    )
    return found.reset_index()[list(FLOOR_COLUMNS)].round(4)
