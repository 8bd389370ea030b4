"""Made-up tables of the ageing stage."""

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.people import choose_people
from brainlapse.analysis.norms.rates import tabulate_rate_norms
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.analysis.norms.tables import tabulate_norms
from tests.unit.analysis.norms.cohorts import draw, draw_rates, together

REGIONS = {
    "ventricles": 20e3,
    "grey_matter": 600e3,
    "white_matter": 500e3,
    "csf": 200e3,
    "brain": 1.3e6,
}
METHODS = ("population_rate", "linear")


def fake_forecasts(scans: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (dataset, subject), visits in scans[scans["split"] == "test"].groupby(
        ["dataset", "subject"]
    ):
        visits = visits.sort_values("age_years").reset_index(drop=True)
        for seen in (1, 2):
            last = visits.loc[seen - 1]
            for _, target in visits.loc[seen:].iterrows():
                for method in METHODS[: seen + 1]:
                    if method == "linear" and seen == 1:
                        continue
                    name = f"{target['scan']}_{method}_{seen}.nii.gz"
                    rows.append(
                        {
                            "dataset": dataset,
                            "subject": subject,
                            "session": target["session"],
                            "scan": target["scan"],
                            "split": "test",
                            "method": method,
                            "n_scans_seen": seen,
                            "n_scans_so_far": seen,
                            "last_scan": last["scan"],
                            "last_age_years": last["age_years"],
                            "target_age_years": target["age_years"],
                            "horizon_years": target["age_years"] - last["age_years"],
                            "file": f"aging/sdae/predicted/{name}",
                        }
                    )
    return pd.DataFrame(rows)


def volume_at(region, age_years):
    """Volume [mm3] of a region at an age: ventricles grow, all others shrink."""
    rate = 0.03 if region == "ventricles" else -0.005
    return REGIONS[region] * (1 + rate * (age_years - 60))


def fake_volumes(scans: pd.DataFrame, forecasts: pd.DataFrame, seed: int = 4) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []

    def add(row: dict, kind: str, model: str | None, age_years: float, noise: float) -> None:
        for region in REGIONS:
            value = volume_at(region, age_years) * random.normal(1, noise)
            rows.append(
                {**row, "kind": kind, "model": model, "region": region, "volume_mm3": value}
            )
        rows.append({**row, "kind": kind, "model": model, "region": "hippocampus"})

    keys = ["dataset", "subject", "session", "scan"]
    for row in scans.dropna(subset=["age_years"]).to_dict("records"):
        identity = {key: row[key] for key in keys}
        add(identity, "real", None, row["age_years"], 0.005)
        add(identity, "reconstructed", "sdae", row["age_years"], 0.02)
    for row in forecasts.to_dict("records"):
        identity = {key: row[key] for key in [*keys, "method", "n_scans_seen"]}
        add(identity, "predicted", "sdae", row["target_age_years"], 0.03)
    return pd.DataFrame(rows).assign(backend="embedded")


def fake_errors(forecasts: pd.DataFrame, seed: int = 5) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    parts = []
    for method, size in (("copy_last", 9), ("reconstruction", 3), ("volume_linear", 6)):
        parts.append(
            forecasts.drop_duplicates(["scan", "n_scans_seen"]).assign(method=method, s=size)
        )
    parts.append(forecasts.assign(s=5))
    table = pd.concat(parts)
    frames = [
        table.assign(
            region=region,
            abs_error_pct=np.abs(random.normal(0, table["s"] / (i + 1))),
            predicted_mm3=volume_at(region, table["target_age_years"]),
            last_observed_mm3=volume_at(region, table["last_age_years"]),
        )
        for i, region in enumerate(REGIONS)
    ]
    return pd.concat(frames).drop(columns="s")


def fake_norms() -> dict[str, pd.DataFrame]:
    """Norms of 40 controls, with 20 patients who lack 2 SD and one who is too old."""
    volumes, scans, quality = together(
        draw(40, seed=1),
        draw(20, seed=2, split="test", diagnosis="patient", shift=-2.0),
        draw(1, seed=3, split="test", diagnosis="patient"),
    )
    scans.loc[60, "age_years"] = 101.0
    settings = NormSettings()
    norms = tabulate_norms(volumes, choose_people(scans, quality, settings), settings)
    rates = tabulate_rate_norms(*draw_rates(40), settings)
    return {
        "analysis/norms": norms.curves,
        "analysis/norm_fits": norms.fits,
        "analysis/norm_scores": norms.scores,
        "analysis/rate_norm_fits": rates.fits,
        "analysis/rate_norm_scores": rates.scores,
    }


def fake_matched() -> pd.DataFrame:
    rows = [
        ("test", 2, method, seen, region, 5, error / seen)
        for method, error in (("copy_last", 9.0), ("population_rate", 5.0))
        for seen in (1, 2)
        for region in REGIONS
    ]
    columns = ["split", "n_scans_so_far", "method", "n_scans_seen", "region", "n_subjects"]
    table = pd.DataFrame(rows, columns=[*columns, "mean_abs_error_pct"])
    return table.assign(
        low_pct=table["mean_abs_error_pct"] - 1, high_pct=table["mean_abs_error_pct"] + 1
    )


def fake_linearity(scans: pd.DataFrame, seed: int = 6) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    people = scans.drop_duplicates("subject")[["dataset", "subject"]]
    tables = [
        people.assign(region=r, method=m, r2=1 - random.exponential(0.05, len(people)))
        for r in REGIONS
        for m in ("latents", "voxels")
    ]
    return pd.concat(tables, ignore_index=True).assign(is_linear=lambda t: t["r2"] > 0.9)


def fake_curves(linearity: pd.DataFrame) -> pd.DataFrame:
    steps = pd.DataFrame(
        {"alpha": [0.0, 0.5, 1.0], "volume_mm3": [10.0, 11.2, 12], "line_mm3": [10.0, 11, 12]}
    )
    return linearity.drop(columns=["r2", "is_linear"]).merge(steps, how="cross")


def fake_interpolations(scans: pd.DataFrame) -> pd.DataFrame:
    own = scans[scans["subject"] == scans["subject"].iloc[0]]
    first, last = own.iloc[[0, -1]].to_dict("records")
    return pd.DataFrame(
        {
            "dataset": first["dataset"],
            "subject": first["subject"],
            "scan_first": first["scan"],
            "scan_last": last["scan"],
            "method": method,
            "alpha": alpha,
            "file": f"aging/interpolated/{method}-{alpha}.nii.gz",
        }
        for method in ("latents", "voxels")
        for alpha in (0.0, 0.5, 1.0)
    )


def fake_image_summary() -> pd.DataFrame:
    """A copy and a method, one with an interval; a copy has no correlation of changes."""
    row = {"n_scans_seen": 1, "n": 4, "n_subjects": 4}
    return pd.DataFrame(
        [
            {**row, "measure": "ssim", "method": "copy_last", "mean": 0.95,
             "mean_low": 0.94, "mean_high": 0.96},
            {**row, "measure": "ssim", "method": "bayes", "mean": 0.9},
            {**row, "measure": "change_correlation", "method": "bayes", "mean": 0.31,
             "mean_low": 0.2, "mean_high": 0.4},
        ]
    )  # fmt: skip
