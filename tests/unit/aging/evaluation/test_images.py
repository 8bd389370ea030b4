"""Image measures of forecasts against planted changes."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.aging.evaluation.images import (
    IMAGE_ERROR_COLUMNS,
    IMAGE_SUMMARY_COLUMNS,
    judge_images,
    summarise_images,
)
from brainlapse.images import save_volume

SHAPE = (16, 16, 16)


@pytest.fixture
def folders(tmp_path):
    """Two visits; the autoencoder halves all intensities, and so all change."""
    generator = np.random.default_rng(0)
    first = generator.uniform(0.2, 0.6, SHAPE)
    visits = {"ses-1": first, "ses-2": first + generator.uniform(0, 0.3, SHAPE)}
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[3:13, 3:13, 3:13] = 1
    for session, brain in visits.items():
        name = f"sub-1/{session}/sub-1_{session}_space-MNI_desc"
        save_volume(tmp_path / f"run/d/{name}-brain_T1w.nii.gz", brain, np.eye(4))
        save_volume(tmp_path / f"run/d/{name}-brain_mask.nii.gz", mask, np.eye(4))
        save_volume(tmp_path / f"rebuilt/{name}-reconstructed_T1w.nii.gz", brain / 2, np.eye(4))
    images = {
        "linear": visits["ses-2"] / 2,  # decoded, all of the change
        "voxel_linear": visits["ses-2"],  # the truth itself
        "other": visits["ses-1"] - (visits["ses-2"] - visits["ses-1"]),  # the wrong way
    }
    for name, image in images.items():
        save_volume(tmp_path / f"predicted/{name}.nii.gz", image, np.eye(4))
    row = {
        **{"dataset": "d", "subject": "sub-1", "scan": "sub-1_ses-2", "split": "test"},
        **{"session": "ses-2", "last_session": "ses-1", "last_scan": "sub-1_ses-1"},
        **{"n_scans_seen": 1, "n_scans_so_far": 1, "horizon_years": 2.0},
    }
    plan = pd.DataFrame([{**row, "method": name, "file": f"{name}.nii.gz"} for name in images])
    return plan, tmp_path / "run", tmp_path / "rebuilt", tmp_path / "predicted"


def test_measures_are_those_of_the_planted_images(folders):
    (rows,) = judge_images(*folders)
    table = pd.DataFrame(rows).set_index("method")
    assert [*table.reset_index()] == [*TARGET_FIRST, *IMAGE_ERROR_COLUMNS_REST]
    change = table["change_correlation"]
    np.testing.assert_allclose(
        change[["reconstruction", "linear", "voxel_linear", "other"]], [1, 1, 1, -1], atol=1e-5
    )
    assert np.isnan(change["copy_last"])  # it shows no change
    assert table.loc["voxel_linear", "mae"] == pytest.approx(0, abs=1e-6)
    assert table.loc["voxel_linear", "ssim"] == pytest.approx(1, abs=1e-6)
    assert table.loc["other", "mae"] == pytest.approx(2 * table.loc["copy_last", "mae"], rel=1e-4)
    gap = table.loc["copy_last", "psnr_db"] - table.loc["other", "psnr_db"]
    assert gap == pytest.approx(20 * np.log10(2), abs=1e-3)


TARGET_FIRST = ["method", *IMAGE_ERROR_COLUMNS[:7]]
IMAGE_ERROR_COLUMNS_REST = IMAGE_ERROR_COLUMNS[8:]


def errors(subjects, better):
    """One target per subject: a method that is better than the copy by as much for everybody."""
    generator = np.random.default_rng(1)
    rows = []
    for number in range(subjects):
        row = dict.fromkeys(IMAGE_ERROR_COLUMNS, 1)
        row |= {"dataset": "d", "subject": f"sub-{number}", "scan": f"sub-{number}_ses-2"}
        row |= {"split": "test", "ssim": generator.uniform(0.7, 0.9)}
        rows.append({**row, "method": "copy_last", "change_correlation": np.nan})
        rows.append({**row, "method": "bayes", "ssim": row["ssim"] + better})
    rows.append({**rows[-1], "subject": "sub-v", "split": "validation", "ssim": -1.0})
    rows.append({**rows[-3], "n_scans_so_far": 2, "ssim": -1.0})  # sees the last scan only
    return pd.DataFrame(rows)


def test_differences_to_the_copy_are_paired_over_subjects():
    table = summarise_images(errors(8, 0.01))
    assert list(table) == IMAGE_SUMMARY_COLUMNS
    ssim = table[table["measure"] == "ssim"].set_index("method")
    assert ssim.loc["bayes", "n_subjects"] == 8
    assert ssim.loc["bayes", "mean_high"] - ssim.loc["bayes", "mean_low"] > 0.02
    gap = ssim.loc["bayes", ["copy_difference", "copy_difference_low", "copy_difference_high"]]
    np.testing.assert_allclose(gap.astype(float), 0.01, atol=1e-9)
    change = table[table["measure"] == "change_correlation"]
    assert change["method"].tolist() == ["bayes"]
    assert summarise_images(errors(1, 0.01).iloc[:0]).empty
