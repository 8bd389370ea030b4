"""Forecasts that no autoencoder decodes: planned where they are, brought to our contract."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from brainlapse.aging.elsewhere import Elsewhere, forecast_images, match_intensities
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.settings import AgingSettings
from brainlapse.images import save_volume
from brainlapse.preprocessing.intensity import normalise
from brainlapse.preprocessing.registration.transforms import write_world_transform
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid

SHAPE = (24, 24, 24)
GRID = Grid(SHAPE, np.array([[2, 0, 0, -24], [0, 2, 0, -24], [0, 0, 2, -24], [0, 0, 0, 1.0]]))
AGES = [60.0, 62.0, 66.0]


@pytest.fixture
def mask():
    far = np.linalg.norm(np.indices(SHAPE).T - 11.5, axis=-1)
    return far < 9


def brains(mask):
    """Three visits whose voxels change along a line, each on the scale of the contract."""
    generator = np.random.default_rng(0)
    base = ndimage.gaussian_filter(generator.uniform(0.2, 0.8, SHAPE), 1.5)
    first = normalise(base, mask, IntensitySettings())
    slope = 0.002 * ndimage.gaussian_filter(generator.normal(size=SHAPE), 2)
    return [np.where(mask, np.clip(first + (age - AGES[0]) * slope, 0, 1), 0) for age in AGES]


@pytest.fixture
def cohort(tmp_path, mask):
    rows = []
    for number, (age, brain) in enumerate(zip(AGES, brains(mask), strict=True), start=1):
        session = f"ses-{number}"
        stem = f"{tmp_path}/run/d/sub-1/{session}/sub-1_{session}_space-MNI_desc-brain"
        save_volume(f"{stem}_T1w.nii.gz", brain, GRID.affine)
        save_volume(f"{stem}_mask.nii.gz", mask, GRID.affine, dtype=np.uint8)
        names = {"session": session, "scan": f"sub-1_{session}", "age_years": age}
        rows.append({"dataset": "d", "subject": "sub-1", "split": "test", **names})
    return pd.DataFrame(rows)


def elsewhere(tmp_path, scans, settings, transforms=None):
    return Elsewhere(
        settings=settings,
        preprocessed=tmp_path / "run",
        scans=scans,
        grid=GRID,
        resampling=ResamplingSettings(),
        intensity=IntensitySettings(),
        transforms=transforms or {},
    )


def external(tmp_path, space="MNI"):
    folder = {"folder": str(tmp_path / "other"), "space": space}
    return AgingSettings(methods=["voxel_linear"], scans_seen=[1], external={"other": folder})


def place(tmp_path, volume, affine, space="MNI"):
    name = f"sub-1_ses-3_method-other_seen-1_space-{space}_desc-predicted_T1w.nii.gz"
    save_volume(tmp_path / "other/d/sub-1/ses-3" / name, volume.astype(np.float32), affine)


def test_a_warped_scan_takes_both_its_decoded_images(tmp_path, cohort, mask):
    first, last, _ = brains(mask)
    plan = plan_forecasts(cohort, AgingSettings(methods=["linear"], scans_seen=[2]))
    plan = pd.concat([plan, plan.assign(method="linear_warped"), plan])
    folders = elsewhere(tmp_path, cohort, AgingSettings())
    decoded = [first, last, last, first]  # of the line, twice the same for the warp, of the line
    found = list(forecast_images(plan, iter(decoded), folders))
    np.testing.assert_array_equal(found[0], first)
    np.testing.assert_allclose(found[1], last, atol=1e-6)  # nothing moves: the scan as it is
    np.testing.assert_array_equal(found[2], first)


def test_only_forecasts_that_are_there_are_planned(tmp_path, cohort, mask):
    settings = external(tmp_path)
    assert plan_forecasts(cohort, settings).empty
    place(tmp_path, brains(mask)[0], GRID.affine)
    plan = plan_forecasts(cohort, settings)
    assert plan[["scan", "method", "last_scan"]].to_numpy().tolist() == [
        ["sub-1_ses-3", "other", "sub-1_ses-1"]
    ]


@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (730, 40)])
def test_a_copy_of_the_last_scan_from_elsewhere_is_that_scan(tmp_path, cohort, mask, gain, offset):
    last = brains(mask)[0]
    settings = external(tmp_path)
    place(tmp_path, np.where(mask, gain * last + offset, 0), GRID.affine)
    plan = plan_forecasts(cohort, settings)
    (found,) = forecast_images(plan, iter([]), elsewhere(tmp_path, cohort, settings))
    np.testing.assert_allclose(found, last, atol=2e-5)


def test_forecasts_on_other_grids_and_in_native_space_are_brought_to_ours(tmp_path, cohort, mask):
    smooth = ndimage.gaussian_filter(np.where(mask, brains(mask)[0], 0), 1.0)
    wanted = match_intensities(smooth, brains(mask)[0], mask, IntensitySettings())
    flipped = smooth[::-1]  # the same image, left to right the other way round
    affine = GRID.affine.copy()
    affine[0, 0], affine[0, 3] = -2, GRID.affine[0, 3] + 2 * (SHAPE[0] - 1)
    settings = external(tmp_path)
    place(tmp_path, flipped, affine)
    plan = plan_forecasts(cohort, settings)
    (found,) = forecast_images(plan, iter([]), elsewhere(tmp_path, cohort, settings))
    np.testing.assert_allclose(found, wanted, atol=2e-3)

    settings = external(tmp_path, "native")
    shift = np.eye(4)
    shift[:3, 3] = [4, 0, -2]  # the template's world to that of the raw scan
    moved = shift @ GRID.affine
    place(tmp_path, smooth, moved, "T1w")
    write_world_transform(tmp_path / "to_native.mat", shift)
    last = {"d/sub-1/ses-1/sub-1_ses-1": str(tmp_path / "to_native.mat")}
    plan = plan_forecasts(cohort, settings)
    (found,) = forecast_images(plan, iter([]), elsewhere(tmp_path, cohort, settings, last))
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_a_line_of_voxels_finds_what_changes_along_a_line(tmp_path, cohort, mask):
    settings = AgingSettings(methods=["voxel_linear"], scans_seen=[2])
    plan = plan_forecasts(cohort, settings)
    (found,) = forecast_images(plan, iter([]), elsewhere(tmp_path, cohort, settings))
    _, last, truth = brains(mask)
    np.testing.assert_allclose(found, truth, atol=1e-5)
    assert np.abs(last - truth).max() > 1e-3


@pytest.mark.parametrize("name", ["bayes", "populationrate", "my_model", "Other", "../up", ""])
def test_names_of_other_tools_are_plain_and_not_ours(name):
    with pytest.raises(ValueError, match="expected a name of small letters"):
        AgingSettings(external={name: {"folder": "x"}})


def test_a_forecast_without_contrast_is_refused_in_a_sentence(tmp_path, cohort, mask):
    settings = external(tmp_path)
    place(tmp_path, np.full(SHAPE, 3.0), GRID.affine)
    plan = plan_forecasts(cohort, settings)
    with pytest.raises(ScanRejected, match="Expected contrast inside the brain"):
        list(forecast_images(plan, iter([]), elsewhere(tmp_path, cohort, settings)))
