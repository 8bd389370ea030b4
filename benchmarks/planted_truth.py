"""Hold a run of a simulated cohort against what was planted in it.

    python -m benchmarks.planted_truth results demo

prints, per region, of the scans on the models' grid and of those aligned at 1 mm: measured over
planted native volume, their correlation over scans, measured over planted yearly rate; and the
error of each forecast method beside the planted change.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.plan import sees_all
from brainlapse.runtime import read_table


def compare_volumes(results: Path, dataset: str, kind: str, truth: pd.DataFrame) -> pd.DataFrame:
    """Native volumes of the scans of a kind beside the planted ones, a row per region."""
    volumes = read_table(results / "volumes/volumes.tsv")
    chosen = volumes[(volumes["kind"] == kind) & (volumes["dataset"] == dataset)]
    both = chosen.merge(truth, on=["subject", "session", "scan", "region"], suffixes=("", "_true"))
    both = both.dropna(subset=["native_volume_mm3"])
    rows = []
    for region, scans in both.groupby("region"):
        ratio = scans["native_volume_mm3"] / scans["native_volume_mm3_true"]
        measured, planted = subject_rates(scans)
        rows.append(
            {
                "region": region,
                "scans": len(scans),
                "volume ratio": ratio.mean(),
                "SD of ratio": ratio.std(),
                "correlation of volumes": scans["native_volume_mm3"].corr(
                    scans["native_volume_mm3_true"]
                ),
                "planted rate [%/y]": 100 * np.mean(planted),
                "measured rate [%/y]": 100 * np.mean(measured),
                "correlation of rates": np.corrcoef(measured, planted)[0, 1],
            }
        )
    return pd.DataFrame(rows)


def subject_rates(scans: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Yearly change of log volume of each subject with two ages: measured, planted."""
    measured, planted = [], []
    for _, visits in scans.groupby("subject"):
        if visits["age_years"].min() < visits["age_years"].max():
            for column, rates in (
                ("native_volume_mm3", measured),
                ("native_volume_mm3_true", planted),
            ):
                rates.append(np.polyfit(visits["age_years"], np.log(visits[column]), 1)[0])
    return measured, planted


def compare_forecasts(results: Path, model: str, truth: pd.DataFrame) -> pd.DataFrame:
    """Forecast change beside the planted change of the ventricles, a row per method."""
    errors = read_table(results / "aging" / model / "errors.tsv")
    predictions = sees_all(read_table(results / "aging" / model / "predictions.tsv"))
    last = predictions.drop_duplicates(["scan", "n_scans_seen"])
    errors = errors[errors["region"] == "ventricles"].merge(
        last[["scan", "n_scans_seen", "last_scan"]], on=["scan", "n_scans_seen"]
    )
    planted = truth[truth["region"] == "ventricles"].set_index("scan")["volume_mm3"]
    ratio = errors["scan"].map(planted).to_numpy() / errors["last_scan"].map(planted).to_numpy()
    errors["planted change [%]"] = 100 * (ratio - 1)
    named = errors.rename(columns={"predicted_change_pct": "forecast change [%]"})
    named["error of volume [%]"] = named["abs_error_pct"]
    columns = ["planted change [%]", "forecast change [%]", "error of volume [%]"]
    grouped = named.groupby(["method", "n_scans_seen"])[columns]
    return grouped.mean().assign(n=grouped.size()).reset_index()


def main() -> None:
    """Print both tables for every model of the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("dataset", help="name of the simulated data set")
    arguments = parser.parse_args()
    truth_path = arguments.results / "simulated" / arguments.dataset / "derivatives/truth/truth.tsv"
    truth = read_table(truth_path)
    for kind in ("real", "aligned"):
        found = compare_volumes(arguments.results, arguments.dataset, kind, truth)
        print(f"\n{kind}\n{found.round(3).to_string()}")
    for folder in sorted((arguments.results / "aging").iterdir()):
        print(f"\n{folder.name}")
        print(compare_forecasts(arguments.results, folder.name, truth).round(2).to_string())


if __name__ == "__main__":
    main()
