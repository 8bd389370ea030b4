"""Compare healthy scans with each other: how often one is flagged, how fine the yardstick is.

    python -m benchmarks.heads.matrix ../shared/data --sets ixi clinic --scans 0 \
        --alterations unchanged --out heads.tsv
    python -m benchmarks.heads.matrix ../shared/data --sets ixi clinic --scans 4 \
        --alterations unchanged repeated --out repeats.tsv
    python -m benchmarks.heads.outliers heads.tsv --repeats repeats.tsv

Printed: the SD of every number over repeated scans, which is its floor; and, for limits of the
robust z, the share of scans that are flagged in data sets drawn from one half of the heads of each
set (which may choose the limit) and from the other half (which judges it).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.preprocessing.quality.outliers import COMPARISONS, compare_scans
from brainlapse.preprocessing.quality.settings import QualitySettings

LIMITS = (4.0, 5.0, 6.0, 7.0, 8.0)
SIZES = (10, 15, 20)
DRAWS = 200
SEED = 0


def floors(repeats: pd.DataFrame) -> pd.DataFrame:
    """SD of every number over scans of one head that is turned between them.

    Turning blurs, which moves all heads alike: the mean difference is taken away.
    """
    first, again = (
        repeats[repeats["alteration"] == kind].set_index(["set", "head"])
        for kind in ("unchanged", "repeated")
    )
    rows = []
    for comparison in COMPARISONS:
        difference = comparison.scale(again[comparison.name].loc[first.index].to_numpy(float))
        difference = difference - comparison.scale(first[comparison.name].to_numpy(float))
        sd = float(np.std(difference, ddof=1) / np.sqrt(2))
        rows.append({"number": comparison.name, "sd": sd, "floor": comparison.floor})
    return pd.DataFrame(rows)


def false_alarms(heads: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Share of scans flagged, by size of the data set (rows) and limit (columns)."""
    table = heads.assign(dataset="one", split="apply")
    found = {}
    for size in sorted({min(size, len(table)) for size in SIZES}):
        largest = np.concatenate(
            [
                compare_scans(
                    table.iloc[random.choice(len(table), size, replace=False)],
                    QualitySettings(),
                )[1].to_numpy()
                for _ in range(DRAWS)
            ]
        )
        found[size] = {limit: float(np.mean(largest > limit)) for limit in LIMITS}
    return pd.DataFrame(found).T


def main() -> None:
    """Print floors and shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heads", type=Path)
    parser.add_argument("--repeats", type=Path, required=True)
    options = parser.parse_args()
    print(floors(pd.read_csv(options.repeats, sep="\t")).round(4).to_string(index=False))
    heads = pd.read_csv(options.heads, sep="\t")
    heads = heads[heads["status"] != "rejected"]
    random = np.random.default_rng(SEED)
    for name, scans in heads.groupby("set"):
        _, sizes = compare_scans(scans.assign(dataset=name, split="apply"), QualitySettings())
        print(f"{name}, all {len(scans)} at once: largest z {sizes.max():.1f}")
        halves = [("all", scans)]
        if len(scans) >= 2 * min(SIZES):
            halves = [("chooses", scans.iloc[::2]), ("judges", scans.iloc[1::2])]
        for half, chosen in halves:
            print(f"{name}, {half} ({len(chosen)} heads)")
            print(false_alarms(chosen, random).map("{:.1%}".format).to_string())


if __name__ == "__main__":
    main()
