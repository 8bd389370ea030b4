"""The tissue backend on the template, on planted growth, and on images that are no brains."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from brainlapse.segmentation.atlas import atlas_of, check_grid, read_atlas, save_atlas
from brainlapse.segmentation.errors import ImplausibleImage, SegmentationFailed
from brainlapse.segmentation.labels import REGIONS
from brainlapse.segmentation.mixture import fit_tissues
from brainlapse.segmentation.tissue import (
    find_brain,
    segment_tissues,
    tissue_labels,
    tissue_volumes,
)
from brainlapse.space import grid_at
from brainlapse.template import load_template

FLUID, GREY, WHITE = 0.08, 0.55, 0.85
GRID = grid_at(2.5, (64, 80, 64))


@pytest.fixture(scope="module")
def template():
    return load_template(GRID)


@pytest.fixture(scope="module")
def atlas(template):
    return atlas_of(template, GRID)


def paint(csf, grey, white, noise=0.02, seed=0):
    """Image of tissue shares by linear partial volume."""
    brain = csf + grey + white
    image = FLUID * csf + GREY * grey + WHITE * white
    image += noise * np.random.default_rng(seed).standard_normal(image.shape)
    return np.where(brain > 0.5, np.clip(image, 0, 1), 0).astype(np.float32)


def shares_of(template):
    """Share of CSF, grey and white matter in every voxel of the template, and of ventricles."""
    brain = template.brain_mask.astype(float)
    grey, white = template.grey * brain, template.white * brain
    csf = np.clip(brain - grey - white, 0, 1)
    return csf, grey, white, csf * template.ventricle_region


def grow_ventricles(fine, outward_mm):
    """Shares on the test grid after the ventricles' wall moved outward into the tissue.

    The wall is a level of the distance to the ventricles on a grid of half the voxel size, and
    each voxel of the test grid is the mean of eight.
    """
    csf, grey, white, ventricles = shares_of(fine)
    core = ventricles > 0.5
    distance = ndimage.distance_transform_edt(~core) - ndimage.distance_transform_edt(core)
    fluid = np.clip(0.5 + outward_mm / 1.25 - distance, 0, 1) * fine.ventricle_region
    solid = grey + white
    weight = ndimage.gaussian_filter(solid * (distance > 1), 2) + 1e-3
    near = ndimage.gaussian_filter(white * (distance > 1), 2) / weight
    deep = fine.ventricle_region & (distance < 3)
    left = (1 - fluid) * fine.brain_mask
    shares = (
        np.where(deep, fluid, csf),
        np.where(deep, left * (1 - near), grey),
        np.where(deep, left * near, white),
        fluid,
    )
    return [share.reshape(64, 2, 80, 2, 64, 2).mean(axis=(1, 3, 5)) for share in shares]


def measure(image, atlas):
    return tissue_volumes(segment_tissues(image, atlas), GRID.voxel_volume_mm3)


def test_template_volumes_are_found(template, atlas):
    csf, grey, white, ventricles = shares_of(template)
    volumes = measure(paint(csf, grey, white), atlas)
    voxel = GRID.voxel_volume_mm3
    assert volumes["grey_matter"] == pytest.approx(grey.sum() * voxel, rel=0.1)
    assert volumes["white_matter"] == pytest.approx(white.sum() * voxel, rel=0.1)
    assert volumes["ventricles"] == pytest.approx(ventricles.sum() * voxel, rel=0.25)
    parts = volumes["csf"] + volumes["grey_matter"] + volumes["white_matter"]
    assert volumes["brain"] == pytest.approx(parts)


def test_planted_growth_is_followed_linearly(atlas):
    fine = load_template(grid_at(1.25, (128, 160, 128)))
    true, found = [], []
    for step, outward_mm in enumerate((0.0, 0.75, 1.25, 1.75, 2.25)):
        csf, grey, white, ventricles = grow_ventricles(fine, outward_mm)
        true.append(ventricles.sum() * GRID.voxel_volume_mm3)
        image = paint(csf, grey, white, seed=step)
        found.append(measure(image, atlas)["ventricles"])
    print("planted, measured ml:", np.round(true, -1) / 1e3, np.round(found, -1) / 1e3)
    assert true[-1] > 1.8 * true[0]
    assert np.all(np.diff(found) > 0)
    slope = np.polyfit(true, found, 1)[0]
    assert 0.8 < slope < 1.2
    assert np.corrcoef(true, found)[0, 1] > 0.995


@pytest.mark.parametrize("gain", [0.5, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_classes_keep_their_order(template, atlas, gain, noise):
    csf, grey, white, _ = shares_of(template)
    image = gain * paint(csf, grey, white, noise=noise)
    brain = find_brain(image, atlas)
    means = fit_tissues(image[brain], atlas.priors[:, brain]).means
    assert means[0] < means[1] < means[2]
    assert means[1:] == pytest.approx([gain * GREY, gain * WHITE], abs=0.08)


def test_unmeasurable_regions_are_missing(template, atlas):
    volumes = measure(paint(*shares_of(template)[:3]), atlas)
    assert set(volumes) == set(REGIONS)
    assert np.isnan([volumes["hippocampus"], volumes["lateral_ventricles"]]).all()


def test_labels_are_those_of_the_tissues(template, atlas):
    labels = tissue_labels(segment_tissues(paint(*shares_of(template)[:3]), atlas))
    assert set(np.unique(labels)) == {0, 2, 3, 4, 24}
    assert not (labels == 4)[~template.ventricle_region].any()


@pytest.mark.parametrize("value", [0.0, 0.6])
def test_image_without_tissues_is_refused(template, atlas, value):
    image = np.where(template.brain_mask, value, 0).astype(np.float32)
    with pytest.raises(ImplausibleImage):
        segment_tissues(image, atlas)


def test_atlas_survives_a_file_and_refuses_other_grids(atlas, tmp_path):
    save_atlas(tmp_path / "atlas.npz", atlas)
    again = read_atlas(tmp_path / "atlas.npz")
    for field in dataclasses.fields(atlas):
        assert np.array_equal(getattr(again, field.name), getattr(atlas, field.name))
    check_grid(again, GRID.shape, GRID.affine)
    with pytest.raises(SegmentationFailed, match="expected the grid of the run"):
        check_grid(again, (64, 80, 65), GRID.affine)
