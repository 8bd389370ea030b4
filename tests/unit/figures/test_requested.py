"""The page and the moving pictures of forecasts that someone asked for."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from brainlapse.figures.ageing.predictions import load_strips, write_animation
from brainlapse.figures.viewer.requested import collect_requested
from brainlapse.images import save_volume
from brainlapse.runtime import write_table
from tests.unit.figures import fake_run

AGES = (85.0, 95.0)


@pytest.fixture
def run(tmp_path):
    """A run in which the oldest test subject is asked for at two ages; its last scan."""
    scans = fake_run.write_tables(tmp_path)
    fake_run.write_images(tmp_path, scans)
    known = scans[scans["split"] == "test"].dropna(subset=["age_years"])
    last = known.sort_values("age_years").iloc[-1]
    folder = tmp_path / "predict/sdae"
    plan = pd.DataFrame(
        {
            **{name: last[name] for name in ("dataset", "subject", "split")},
            "session": None,
            "scan": f"{last['subject']}_age{age:g}",
            "method": "bayes",
            "n_scans_seen": 3,
            "last_scan": last["scan"],
            "last_session": last["session"],
            "last_age_years": last["age_years"],
            "target_age_years": age,
            "horizon_years": age - last["age_years"],
            "file": f"age{age:g}.nii.gz",
            "note": "nobody as old was trained on" if age > 90 else None,
        }
        for age in AGES
    )
    rows = [
        {**keys, "region": "ventricles", "method": method, "last_observed_mm3": 20e3,
         "predicted_mm3": mm3 + 1e3 * number, **ends}
        for number, keys in enumerate(plan[["dataset", "subject", "scan"]].to_dict("records"))
        for method, mm3, ends in (
            ("image", 22e3, {}),
            ("volume_bayes", 24e3, {"low_mm3": 21e3, "high_mm3": 27e3}),
        )
    ]  # fmt: skip
    write_table(folder / "predictions.tsv", plan)
    write_table(folder / "volumes.tsv", pd.DataFrame(rows))
    grid = fake_run.small_grid()
    for number, file in enumerate(plan["file"]):
        save_volume(
            folder / "images" / file, fake_run.ball(grid) * (0.8 - 0.3 * number), grid.affine
        )
    return tmp_path, last


def test_people_asked_for_come_with_both_kinds_of_volumes(run):
    root, last = run
    (person,) = collect_requested(root, "sdae")
    assert person.key == f"{last['dataset']}/{last['subject']}"
    assert person.facts.endswith("; at 95 years: nobody as old was trained on")
    alone, pictured = person.series
    assert alone.name == "volume bayes, pictures by bayes, 3 scans seen"
    assert pictured.name == "bayes, 3 scans seen"
    assert [frame.age_years for frame in alone.frames] == list(AGES)
    assert alone.frames == pictured.frames
    start = (last["age_years"], 20, 20, 20)
    assert alone.volumes["ventricles"] == [start, (85, 24, 21, 27), (95, 25, 21, 27)]
    assert pictured.volumes["ventricles"] == [start, (85, 22, None, None), (95, 23, None, None)]


def test_without_an_interval_only_the_pictures_volumes_are_shown(run):
    root, _ = run
    path = root / "predict/sdae/volumes.tsv"
    table = pd.read_csv(path, sep="\t")
    write_table(path, table[table["method"] == "image"])
    (person,) = collect_requested(root, "sdae")
    assert [series.name for series in person.series] == ["bayes, 3 scans seen"]


def test_no_answered_request_shows_nobody(run):
    root, _ = run
    folder = root / "predict/sdae"
    for name in ("predictions", "volumes"):
        table = pd.read_csv(folder / f"{name}.tsv", sep="\t")
        write_table(folder / f"{name}.tsv", table.iloc[:0])
    assert collect_requested(root, "sdae") == []


def test_animation_has_a_frame_per_age_as_bright_as_its_image(run, tmp_path):
    root, _ = run
    plan = pd.read_csv(root / "predict/sdae/predictions.tsv", sep="\t")
    (strip,) = load_strips(plan, root / "predict/sdae/images", root)
    path = tmp_path / "moving.gif"
    write_animation(strip, (0.0, -20.0, 8.0), path)
    brightest = []
    with Image.open(path) as moving:
        assert moving.n_frames == 1 + len(AGES)
        for number in range(moving.n_frames):
            moving.seek(number)
            brightest.append(np.asarray(moving.convert("L"))[40:].max() / 255)
    scale = fake_run.ball(fake_run.small_grid()).max()
    assert brightest == pytest.approx([scale, 0.8 * scale, 0.5 * scale], abs=0.05)
