"""Where reconstructions are worse than those of other people: groups and single scans."""

import pandas as pd

from brainlapse.cohort.tables import PERSON
from brainlapse.figures import tables
from brainlapse.figures.ageing.curves import REGION_ORDER

SHOWN = REGION_ORDER[:4]
HIGH = 3.0  # z-score of a scan that is listed
MOST = 20  # scans listed


def group_table(anomaly: pd.DataFrame) -> pd.DataFrame:
    """Return the mean z-scores of each region by split and diagnosis, people weighing the same."""
    known = anomaly[anomaly["region"].isin(SHOWN)].dropna(
        subset=["z_train", "z_validation"], how="all"
    )
    if known.empty:
        return pd.DataFrame()
    by = ["region", "split", "diagnosis"]
    known = known.assign(diagnosis=tables.given(known, "diagnosis"))
    scores = known.groupby([*by, *PERSON])[["z_train", "z_validation"]]
    groups = scores.mean().groupby(level=by, sort=True)
    table = groups.mean()
    table.insert(0, "people", groups.size())
    order = table.reset_index()
    rank = order["region"].map(SHOWN.index)
    table = order.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)
    return table.dropna(axis="columns", how="all")


def standing_out(anomaly: pd.DataFrame) -> pd.DataFrame:
    """Return the scans with the highest z-scores, each with its worst region.

    Against validation people where there are enough, else against training people.
    """
    name = "z_validation" if anomaly["z_validation"].notna().any() else "z_train"
    high = anomaly[anomaly[name] >= HIGH].sort_values(name, ascending=False, kind="stable")
    worst = high.drop_duplicates(["dataset", "scan"]).head(MOST)
    return worst[["dataset", "scan", "split", "diagnosis", "region", "mae", name]]
