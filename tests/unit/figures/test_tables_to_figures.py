"""What the figures choose to show."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainlapse.figures import style
from brainlapse.figures.ageing import curves as ageing
from brainlapse.figures.ageing.images import image_table
from brainlapse.figures.models import comparison, reconstructions, training
from brainlapse.figures.page import blocks
from brainlapse.figures.scans import cohort
from brainlapse.figures.scans.order import pictured
from tests.unit.figures import fake_ageing, fake_run


def test_best_median_worst_of_the_test_split() -> None:
    table = pd.DataFrame(
        {
            "dataset": "demo",
            "scan": list("abcdef"),
            "split": ["test"] * 5 + ["train"],
            "ssim": [0.5, 0.9, 0.7, 0.6, 0.8, 0.99],
        }
    )
    chosen = reconstructions.choose(table)
    assert chosen["scan"].tolist() == ["b", "c", "a"]
    assert chosen["rank"].tolist() == ["best", "median", "worst"]
    assert len(reconstructions.choose(table[table["scan"] == "a"])) == 1


def test_forecasts_of_test_subjects_come_first_and_baselines_never() -> None:
    forecasts = fake_ageing.fake_forecasts(fake_run.fake_scans())
    forecasts.loc[forecasts["subject"] == "sub-03", "split"] = "validation"
    copies = forecasts.assign(method="copy_last", horizon_years=99.0)
    chosen = ageing.choose(pd.concat([forecasts, copies]), 3)
    assert set(chosen["split"]) == {"test"}
    assert "copy_last" not in set(chosen["method"])
    assert chosen["subject"].is_unique


def test_headline_compares_equal_numbers_of_scans() -> None:
    rows = [
        ("copy_last", 1, 10.0),
        ("copy_last", 2, 6.0),
        ("population_rate", 1, 5.0),
        ("least_squares", 2, 4.0),
        ("reconstruction", 2, 1.0),
    ]
    errors = pd.DataFrame(rows, columns=["method", "n_scans_seen", "abs_error_pct"])
    errors = errors.assign(region="ventricles", subject="sub-01", horizon_years=2.0)
    best = ageing.headline(errors)
    assert best is not None
    assert (best["method"], best["error_pct"], best["baseline_pct"]) == ("least_squares", 4.0, 6.0)


def test_trajectories_take_ages_from_scans_and_targets() -> None:
    scans = fake_run.fake_scans()
    forecasts = fake_ageing.fake_forecasts(scans)
    volumes = fake_ageing.fake_volumes(scans, forecasts)
    table = ageing.trajectories(volumes, scans, forecasts, "sdae")
    assert len(table[table["kind"] == "predicted"]) == len(forecasts) * len(fake_run.REGIONS)
    assert set(ageing.trajectories(volumes, scans, forecasts, "other")["kind"]) == {"real"}
    assert ageing.missing_regions(volumes) == ["hippocampus"]


def test_volume_errors_are_those_of_the_judged_split() -> None:
    rows = {"dataset": "d", "subject": "s", "scan": list("abc"), "region": "ventricles"}
    errors = pd.DataFrame({**rows, "split": ["test", "test", "train"], "error_pct": [10, -6, 99]})
    errors["abs_error_pct"] = errors["error_pct"].abs()
    tables = {"klae": errors, comparison.MEAN_IMAGE: errors.assign(error_pct=50.0)}
    table = comparison.volume_table(tables).set_index("method")
    assert table.loc["klae", "mean error [%]"] == 2
    assert table.loc["klae", "median absolute error [%]"] == 8
    assert table["scans"].tolist() == [2, 2]
    assert comparison.judged({"klae": errors.iloc[2:]})[0] == "train"


def test_the_mean_image_is_listed_once_beside_all_models() -> None:
    summary = pd.DataFrame(
        {
            "method": ["model", "mean_image", "model"],
            "split": ["train", "test", "test"],
            "dataset": "all",
            "diagnosis": [None, "all", "all"],
            "n": 3,
            "ssim_mean": [0.9, 0.5, 0.8],
            "ssim_sd": [None, 0.1, 0.02],
        }
    )
    table = comparison.image_table({"one": summary, "two": summary, "none": summary.iloc[:0]})
    assert table["method"].tolist() == ["mean_image", "one", "two", "one", "two"]
    assert table["SSIM"].tolist() == ["0.5 ± 0.1", *["0.8 ± 0.02"] * 2, *["0.9"] * 2]


def test_loss_terms_are_paired() -> None:
    grouped = training.terms(fake_run.fake_history())
    assert grouped["total"] == {"train": "train_total", "validation": "validation_total"}
    assert next(iter(grouped)) == "total"
    assert list(grouped)[-1] == "lr"


def test_order_of_pictures() -> None:
    rows = [{"status": s, "dataset": "d", "scan": s} for s in ("accepted", "flagged", "rejected")]
    assert [row["status"] for row in pictured(rows, 2)] == ["rejected", "flagged"]


def test_unusual_scans_come_first_among_equals() -> None:
    scores = {"a": 1.0, "b": float("nan"), "c": 5.0, "d": None}
    rows = [
        {"status": "accepted", "dataset": "d", "scan": name, "largest_z": z}
        for name, z in scores.items()
    ]
    assert [row["scan"] for row in pictured(rows, 4)] == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("value", "words", "number"),
    [
        (np.float64(1234.5678), "1,235", 1234.5678),
        (np.int64(9200), "9,200", 9200),
        (0.012345, "0.01235", 0.012345),
        (float("nan"), "n/a", None),
        (None, "n/a", None),
        ("sub-01", "sub-01", None),
    ],
)
def test_cells(value: object, words: str, number: float | None) -> None:
    cell = blocks.cell(value)
    assert (cell["text"], cell["number"]) == (words, number)


def test_names_with_dollars_are_no_formulas(tmp_path: Path) -> None:
    scans = fake_run.fake_scans(4).assign(diagnosis="$\\frac{", dataset="a$b$_^")
    style.draw(tmp_path / "cohort.png", cohort.plot_cohort, scans)
    assert style.read_note(tmp_path / "cohort.png") is None


def test_units_of_columns() -> None:
    assert style.quantity("age_years") == "age [years]"
    assert style.quantity("mask_volume_ml") == "mask volume [ml]"
    assert style.quantity("n_scans_seen") == "n scans seen"


def test_colours_are_stable_and_distinct() -> None:
    colours = style.colour_map(["test", "train", "other"], style.SPLIT_COLOURS)
    assert colours["train"] == style.BLUE
    assert len(set(colours.values())) == 3


def test_figures_are_also_written_for_papers(tmp_path):
    style.draw(tmp_path / "one.png", lambda: style.new_figure()[0])
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")

    def nothing():
        raise style.NothingToShow("nothing")

    style.draw(tmp_path / "one.png", nothing)
    assert not (tmp_path / "one.pdf").exists()


def test_image_measures_stand_beside_each_other_with_their_intervals() -> None:
    table = image_table(fake_ageing.fake_image_summary()).set_index("method")
    assert list(table.index) == ["copy_last", "bayes"]
    assert table.loc["copy_last", "ssim"] == "0.950 (0.940 to 0.960)"
    assert table.loc["bayes", "ssim"] == "0.900"  # too few subjects for an interval
    assert table.loc["bayes", "change correlation"] == "0.31 (0.20 to 0.40)"
    assert pd.isna(table.loc["copy_last", "change correlation"])
    assert image_table(pd.DataFrame()).empty
