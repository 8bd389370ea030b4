"""Planted errors of a reconstruction are found in their region; nobody is held against themself."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainlapse.analysis.anomaly import (
    ANOMALY_COLUMNS,
    ERROR_COLUMNS,
    FEWEST_PEOPLE,
    regional_errors,
    tabulate_anomalies,
)
from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, SPLIT_SCAN, scan_path
from brainlapse.images import save_volume
from brainlapse.latents import reconstructed_file
from brainlapse.runtime import read_table, write_table
from brainlapse.segmentation.volumes import labels_name
from tests.unit.figures.run_scripts import run_script

REGIONS = ["hippocampus", "ventricles"]


def cohort(visits=2, seed=0, **people):
    """Errors and index of so many people of each split; log errors have a spread of 0.3."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "dataset": "a",
            "subject": f"sub-{split}-{number}",
            "session": f"ses-{visit}",
            "scan": f"sub-{split}-{number}_ses-{visit}",
            "person": f"a/sub-{split}-{number}",
            "age_years": 60.0 + visit,
            "split": split,
            "diagnosis": None,
            "flagged": False,
        }
        for split, count in people.items()
        for number in range(count)
        for visit in range(visits)
    ]
    index = pd.DataFrame(rows)
    parts = [index.assign(region=region) for region in REGIONS]
    errors = pd.concat(parts, ignore_index=True)
    own = {person: random.normal(0, 0.25) for person in index["person"]}
    noise = random.normal(0, np.sqrt(0.3**2 - 0.25**2), len(errors))
    errors["mae"] = np.exp(-4 + errors["person"].map(own) + noise)
    return errors[ERROR_COLUMNS], index


def scored(errors, index):
    return tabulate_anomalies(errors, index).set_index(["scan", "region"])


class TestRegionalErrors:
    def test_each_region_has_its_own_error(self):
        labels = np.zeros((6, 6, 6), dtype=int)
        labels[:3], labels[3], labels[4:] = 17, 53, 4
        brain = np.full(labels.shape, 0.5)
        decoded = brain.copy()
        decoded[:3] += 0.1
        decoded[3] -= 0.4
        inside = np.ones(labels.shape, dtype=bool)
        inside[:, :, 5] = False
        decoded[:, :, 5] = 9.0  # outside the mask nothing counts
        found = regional_errors(brain, decoded, inside, labels)
        assert found["left_hippocampus"] == pytest.approx(0.1)
        assert found["right_hippocampus"] == pytest.approx(0.4)
        assert found["hippocampus"] == pytest.approx((3 * 0.1 + 0.4) / 4)
        assert found["lateral_ventricles"] == 0
        assert np.isnan(found["right_lateral_ventricle"])

    def test_a_region_of_few_voxels_has_none(self):
        labels = np.zeros((4, 4, 4), dtype=int)
        labels[0, 0, :3] = 17
        volume = np.zeros(labels.shape)
        found = regional_errors(volume, volume + 0.1, labels >= 0, labels)
        assert np.isnan(found["left_hippocampus"])


def test_people_like_those_of_the_split_have_mean_0_and_sd_1():
    table = tabulate_anomalies(*cohort(train=200, validation=100, test=300))
    assert list(table) == ANOMALY_COLUMNS
    first = table[table["session"] == "ses-0"]
    for split, rows in first.groupby("split"):
        for name in ("z_train", "z_validation"):
            known = rows.loc[rows["region"] == "ventricles", name]
            assert known.notna().all(), (split, name)
            assert abs(known.mean()) < 0.3
            assert known.std() == pytest.approx(1, abs=0.25)


def test_z_scores_are_those_of_a_prediction_interval():
    errors, index = cohort(train=40, test=1, visits=1)
    found = scored(errors, index)
    logs = np.log(errors.set_index(["split", "region"])["mae"]).sort_index()
    train, test = logs["train", "ventricles"], logs["test", "ventricles"].item()
    distance = (test - train.mean()) / (train.std() * np.sqrt(1 + 1 / 40))
    wanted = stats.norm.ppf(stats.t.cdf(distance, 39))
    row = found.loc["sub-test-0_ses-0", "ventricles"]
    assert row["z_train"] == pytest.approx(wanted, abs=1e-3)


def test_a_planted_error_is_found_in_its_region_only():
    errors, index = cohort(train=200, test=20, visits=1)
    hit = (errors["split"] == "test") & (errors["region"] == "hippocampus")
    before = scored(errors, index)["z_train"]
    errors.loc[hit, "mae"] *= np.exp(3 * 0.3)
    rise = scored(errors, index)["z_train"] - before
    test = rise[rise.index.get_level_values("scan").str.startswith("sub-test")]
    assert test.xs("hippocampus", level="region").between(2.4, 3.4).all()
    assert (test.xs("ventricles", level="region") == 0).all()


def test_nobody_is_held_against_themself():
    errors, index = cohort(train=30)
    before = scored(errors, index)
    mine = errors["scan"].str.startswith("sub-train-3_")
    errors.loc[mine, "mae"] *= 100
    after = scored(errors, index)
    loud = after.loc["sub-train-3_ses-1"]["z_train"]
    assert (loud > 4).all()
    assert (after["z_train"] != before["z_train"]).any()
    alone = index["person"] != "a/sub-train-3"
    other = errors[errors["scan"].isin(index.loc[alone, "scan"])]
    others_only = scored(other, index[alone])
    moved = index.assign(split=index["split"].where(alone, "test"))
    np.testing.assert_array_equal(
        after.loc[errors.loc[mine, "scan"], "z_train"],
        scored(errors, moved).loc[errors.loc[mine, "scan"], "z_train"],
    )
    assert len(others_only) == len(after) - 4


def test_test_people_and_flagged_scans_change_nothing_of_others():
    errors, index = cohort(train=30, test=10)
    index.loc[index["subject"] == "sub-train-0", "flagged"] = True
    before = scored(errors, index)
    loud = errors["subject"].isin(["sub-test-0", "sub-train-0"])
    errors.loc[loud, "mae"] *= 50
    after = scored(errors, index)
    calm = errors.loc[~loud, "scan"]
    np.testing.assert_array_equal(before.loc[calm, "z_train"], after.loc[calm, "z_train"])
    in_sample = after["in_sample"].groupby("scan").first()
    assert in_sample.sum() == 29 * 2
    assert not in_sample["sub-train-0_ses-0"]


def test_too_few_people_and_a_missing_region_are_no_fault(caplog):
    errors, index = cohort(train=FEWEST_PEOPLE - 1, validation=12, test=2)
    errors.loc[errors["region"] == "hippocampus", "mae"] = np.nan
    table = tabulate_anomalies(errors, index)
    assert table["z_train"].isna().all()
    assert "no z-scores against train people: expected 10, found 9" in caplog.text
    known = table[table["region"] == "ventricles"]
    assert known["z_validation"].notna().all()
    assert table.loc[table["region"] == "hippocampus", "z_validation"].isna().all()
    constant = errors.assign(mae=0.1)
    assert tabulate_anomalies(constant, index)["z_validation"].isna().all()


def test_jobs_compare_scan_by_scan_and_leave_out_what_was_not_segmented(tmp_path):
    _, index = cohort(train=2, visits=1)
    random = np.random.default_rng(0)
    brains, masks, affine = [], [], np.diag([2.0, 2, 2, 1])
    for position, scan in enumerate(index.to_dict("records")):
        stem = scan_path(scan["dataset"], scan["subject"], scan["session"])
        brain = random.uniform(0.2, 0.8, (6, 6, 6)).astype(np.float32)
        paths = [tmp_path / f"preprocess/{stem}{end}" for end in (BRAIN, BRAIN_MASK)]
        decoded = tmp_path / "block-0" / reconstructed_file(stem)
        folder = tmp_path / f"volumes/{scan['subject']}_labels"
        folder.mkdir(parents=True)
        save_volume(paths[0], brain, affine)
        save_volume(paths[1], np.ones_like(brain, dtype=np.uint8), affine)
        save_volume(decoded, brain + np.float32(0.1 * (position + 1)), affine)
        if position == 0:
            save_volume(
                folder / labels_name(paths[0]), np.full(brain.shape, 17, dtype=np.int16), affine
            )
        brains.append(paths[0])
        masks.append(paths[1])
    run_script(
        "compare_regions",
        input={
            "brains": brains,
            "masks": masks,
            "labels": sorted(tmp_path.glob("volumes/*")),
            "folder": tmp_path / "block-0",
        },
        output={"table": tmp_path / "block-0.tsv"},
        params={"scans": index[SPLIT_SCAN].to_dict("records")},
    )
    table = read_table(tmp_path / "block-0.tsv", ERROR_COLUMNS)
    assert set(table["scan"]) == {index["scan"][0]}
    known = table.set_index("region")["mae"].dropna()
    assert set(known.index) == {"left_hippocampus", "hippocampus", "grey_matter", "brain"}
    np.testing.assert_allclose(known, 0.1, atol=1e-5)

    write_table(tmp_path / "index.tsv", index)
    write_table(tmp_path / "empty.tsv", table.iloc[:0])
    for tables, count in ((["block-0.tsv", "empty.tsv"], len(table)), (["empty.tsv"], 0)):
        run_script(
            "find_anomalies",
            input={"tables": [tmp_path / name for name in tables], "index": tmp_path / "index.tsv"},
            output={"anomaly": tmp_path / "anomaly.tsv"},
            params={},
        )
        assert len(read_table(tmp_path / "anomaly.tsv", ANOMALY_COLUMNS)) == count
