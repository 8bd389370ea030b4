"""Planted scores and volumes come back as planted."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis.reconstructions import (
    mean_image_errors,
    summarise_reconstructions,
    volume_errors,
)

INDEX = pd.DataFrame(
    {
        "dataset": ["a", "a", "a", "b"],
        "subject": ["sub-1", "sub-2", "sub-3", "sub-1"],
        "session": None,
        "scan": ["sub-1", "sub-2", "sub-3", "sub-1"],
        "split": ["test", "test", "train", "test"],
        "diagnosis": ["control", "control", None, "patient"],
    }
)
IDENTITY = INDEX.drop(columns="diagnosis")


def scores(ssim):
    return IDENTITY.assign(ssim=ssim, mae=[0.1, 0.3, 0.5, 0.6])


def test_means_and_deviations_by_group_and_of_the_split():
    table = summarise_reconstructions(
        scores([0.9, 0.7, 0.5, 0.2]), INDEX, scores([0.5, 0.5, 0.5, 0.5])
    )
    row = table.set_index(["method", "split", "dataset", "diagnosis"]).sort_index()
    control = row.loc["model", "test", "a", "control"]
    assert control["n"] == 2
    assert control["ssim_mean"] == pytest.approx(0.8)
    assert control["ssim_sd"] == pytest.approx(np.sqrt(0.02))
    whole = row.loc["model", "test", "all", "all"]
    assert (whole["n"], whole["mae_mean"]) == (3, pytest.approx(1 / 3))
    assert row.loc["mean_image", "test", "b", "patient"]["ssim_mean"] == 0.5
    assert np.isnan(row.loc["model", "test", "b", "patient"]["ssim_sd"])
    unknown = table[(table["split"] == "train") & table["diagnosis"].isna()]
    assert unknown["n"].tolist() == [1, 1]  # scans without a diagnosis are a group, not dropped


def test_without_a_mean_image_the_model_stands_alone():
    table = summarise_reconstructions(scores([0.9, 0.7, 0.5, 0.2]), INDEX)
    assert set(table["method"]) == {"model"}


def volumes():
    rows = []
    for number, scan in enumerate(IDENTITY.to_dict("records")):
        for region, real_mm3 in (("ventricles", 20e3), ("hippocampus", 8e3)):
            name = {key: scan[key] for key in ("dataset", "scan")} | {"region": region}
            factor = {"ventricles": 1.1, "hippocampus": 0.95}[region]
            rows += [
                {**name, "kind": "real", "volume_mm3": real_mm3 + number},
                {**name, "kind": "reconstructed", "model": "klae",
                 "volume_mm3": (real_mm3 + number) * factor},
                {**name, "kind": "reconstructed", "model": "other", "volume_mm3": 1.0},
                {**name, "kind": "predicted", "model": "klae", "volume_mm3": 2.0},
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_planted_volume_errors_come_back_signed():
    errors = volume_errors(volumes(), INDEX, "klae")
    assert len(errors) == 8
    by_region = errors.groupby("region")
    np.testing.assert_allclose(by_region["error_pct"].mean(), [-5, 10])
    np.testing.assert_allclose(by_region["abs_error_pct"].mean(), [5, 10])
    assert errors["split"].tolist() == ["test"] * 4 + ["train"] * 2 + ["test"] * 2
    first = errors.iloc[0]
    assert (first["real_mm3"], first["reconstructed_mm3"]) == (8e3, pytest.approx(7600))


def test_scans_without_a_volume_are_left_out_and_counted(caplog):
    caplog.set_level("INFO")
    table = volumes()
    table.loc[(table["kind"] == "reconstructed") & (table["scan"] == "sub-3"), "volume_mm3"] = None
    errors = volume_errors(table, INDEX, "klae")
    assert "sub-3" not in set(errors["scan"])
    assert "2 of 8 rows" in caplog.text


def test_the_mean_image_is_one_volume_for_everybody():
    errors = mean_image_errors(volumes(), INDEX, {"ventricles": 22e3, "hippocampus": float("nan")})
    assert errors["region"].unique().tolist() == ["ventricles"]
    assert (errors["reconstructed_mm3"] == 22e3).all()
    assert errors["error_pct"].iloc[0] == pytest.approx(10)
