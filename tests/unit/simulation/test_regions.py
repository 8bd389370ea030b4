"""The truth's regions: the segmenter's, and they add up."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainlapse.segmentation.embedded.network import GRID
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.simulation import regions
from brainlapse.simulation.anatomy import BRAIN_GRID, build_anatomy
from brainlapse.template import load_template_brain


@pytest.fixture(scope="module")
def maps():
    return build_anatomy().maps


def volume_ml(volume):
    return float(volume.sum(dtype=np.float64)) / 1000


def test_tissues_add_up_to_the_mask(maps):
    total = maps["grey_matter"] + maps["white_matter"] + maps["csf"]
    np.testing.assert_allclose(total, maps["brain"], atol=1e-5)
    mask = load_template_brain(BRAIN_GRID)[1]
    near = ndimage.binary_dilation(mask, iterations=2)  # the segmenter's grid lies half a voxel off
    assert maps["brain"][~near].max() < 1e-5
    assert volume_ml(maps["brain"]) > 0.95 * volume_ml(mask)  # the rest is background at its edge
    assert all(volume.min() >= 0 for volume in maps.values())
    assert set(maps) == set(regions.REGIONS)


def test_parts_lie_within_their_wholes(maps):
    assert (maps["lateral_ventricles"] <= maps["ventricles"] + 1e-5).all()
    assert (maps["ventricles"] <= maps["csf"] + 1e-5).all()
    assert (maps["hippocampus"] <= maps["grey_matter"] + 1e-5).all()
    sides = maps["left_hippocampus"] + maps["right_hippocampus"]
    np.testing.assert_allclose(sides, maps["hippocampus"], atol=1e-5)


def test_regions_have_the_sizes_and_places_of_anatomy(maps):
    limits_ml = {
        "ventricles": (15, 45), "hippocampus": (6, 13), "grey_matter": (700, 1050),
        "white_matter": (500, 800), "brain": (1790, 1890),
    }  # fmt: skip
    for name, (low, high) in limits_ml.items():
        assert low < volume_ml(maps[name]) < high, name
    for side, sign in (("left", -1), ("right", 1)):
        centre = ndimage.center_of_mass(maps[f"{side}_hippocampus"])
        x, y, z = BRAIN_GRID.affine[:3, :3] @ centre + BRAIN_GRID.affine[:3, 3]
        assert 20 < sign * x < 35
        assert -32 < y < -14
        assert -25 < z < -5
        volume = volume_ml(maps[f"{side}_hippocampus"])
        assert volume == pytest.approx(volume_ml(maps["hippocampus"]) / 2, rel=0.01)


@pytest.fixture(scope="module")
def posteriors():
    return regions.segment_template()


def test_volumes_are_those_that_the_segmenter_measures(maps, posteriors):
    measured = structure_volumes(posteriors, GRID.voxel_volume_mm3)
    for side in ("left", "right"):
        found = volume_ml(maps[f"{side}_hippocampus"])
        assert found == pytest.approx(measured[f"{side} hippocampus"] / 1000, rel=0.01)
    lateral = measured["left lateral ventricle"] + measured["right lateral ventricle"]
    assert volume_ml(maps["lateral_ventricles"]) == pytest.approx(lateral / 1000, rel=0.01)


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_threads(posteriors):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = regions.segment_template()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(again.rows, posteriors.rows)
