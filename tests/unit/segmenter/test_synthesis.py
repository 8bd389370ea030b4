"""Drawings from a made head: reproducible, true to their labels, and left stays left."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainlapse.images import resample_to_grid
from brainlapse.segmentation.classes import CLASS_LABELS, PAIRED, class_table, right_table
from brainlapse.segmenter import deformation, synthesis
from brainlapse.segmenter.anatomies import OUTSIDE, fold_labels
from brainlapse.segmenter.deformation import draw_transform, sample_labels, smooth_noise
from brainlapse.segmenter.settings import SynthesisSettings
from brainlapse.segmenter.synthesis import (
    MIRRORS,
    acquire,
    blur,
    draw_mask,
    draw_patch,
    draw_tissues,
)
from brainlapse.space import Grid, grid_at
from tests.unit.segmenter.heads import FINE, SMALL, head_labels

STILL = SynthesisSettings(
    rotation_deg=0, shift_mm=0, scale=0, shear=0, warp_mm=0, ventricle_mm=(0, 0),
    random_contrast=0, resolution_mm=1, bias=0, noise=0, decoded=0,
)  # fmt: skip
LATERAL, WHITE = (CLASS_LABELS.index(label) for label in (4, 2))


def settings_with(**changes):
    return STILL.model_copy(update=changes)


def draw(anatomy, seed, settings=None, patch=SMALL.shape):
    return draw_patch(anatomy, settings or SynthesisSettings(), patch, np.random.default_rng(seed))


def truth_on(grid):
    """Classes and sides by direct resampling of the label map."""
    labels = resample_to_grid(fold_labels(head_labels()), FINE.affine, grid, order=0).astype(int)
    return class_table()[labels], right_table()[labels]


def patch_slices(drawing):
    return tuple(slice(f, f + n) for f, n in zip(drawing.first, drawing.image.shape, strict=True))


def test_same_seed_same_drawing(anatomy):
    one, two, other = (draw(anatomy, seed, patch=(32, 16, 32)) for seed in (5, 5, 6))
    assert one.first == two.first
    for field in ("image", "mask", "classes", "right"):
        assert torch.equal(getattr(one, field), getattr(two, field))
    assert not torch.equal(one.image, other.image)


@pytest.mark.parametrize("seed", range(6))
def test_a_drawing_keeps_its_promises(anatomy, seed):
    drawing = draw(anatomy, seed, patch=(48, 32, 64))
    assert drawing.image.dtype == torch.float32
    assert drawing.classes.dtype == torch.uint8
    assert drawing.mask.dtype == drawing.right.dtype == torch.bool
    for field in ("image", "mask", "classes", "right"):
        assert getattr(drawing, field).shape == (48, 32, 64)
    assert all(first % 2 == 0 for first in drawing.first)
    ends = np.add(drawing.first, (48, 32, 64))
    assert (ends <= SMALL.shape).all()
    assert drawing.image.min() >= 0
    assert drawing.image.max() <= 1
    assert torch.isfinite(drawing.image).all()
    assert (drawing.image[~drawing.mask] == 0).all()
    assert (drawing.classes[~drawing.mask] == 0).all()
    assert drawing.image[drawing.mask].std() > 0.02


def test_whole_brains_are_stripped(anatomy, monkeypatch):
    """On a grid that holds the whole head: the mask is the brain, give or take."""
    grid = grid_at(1.0, (152, 188, 148))
    for module in (deformation, synthesis):
        monkeypatch.setattr(module, "GRID", grid)
    labels = resample_to_grid(head_labels(), FINE.affine, grid, order=0).astype(np.int16)
    brain = (labels > 0) & (labels < OUTSIDE)
    outside_mm = ndimage.distance_transform_edt(~brain)
    found = []
    for seed in range(3):
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        mask = draw_mask(torch.from_numpy(labels), (0, 0, 0), rng, generator).numpy()
        assert outside_mm[mask].max() < 8
        found.append(mask.sum() / brain.sum())
    assert min(found) > 0.7
    assert max(found) < 1.2
    assert np.ptp(found) > 0.01


def test_the_neck_is_cut_off_at_a_drawn_height(monkeypatch):
    grid = Grid((8, 24, 80), np.diag([1.0, 1.0, 1.0, 1.0]))
    grid.affine[:3, 3] = (-4, -42, -100)
    for module in (deformation, synthesis):
        monkeypatch.setattr(module, "GRID", grid)
    monkeypatch.setattr(synthesis, "smooth_noise", lambda shape, *rest: torch.zeros((1, *shape)))
    stem = torch.full(grid.shape, 16, dtype=torch.int16)
    heights_mm = []
    for seed in range(12):
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        mask = draw_mask(stem, (0, 0, 0), rng, generator).numpy()
        assert (np.diff(mask.astype(int), axis=2) >= 0).all()  # nothing below the cut
        cut_mm = -100 + 80 - mask.sum(axis=2)
        assert (cut_mm == cut_mm[:1]).all()  # level from left to right
        heights_mm.append(cut_mm[0, 12])  # y = -30 mm, where the tilt turns
    assert -80 <= min(heights_mm) < -72
    assert -64 < max(heights_mm) <= -55


def test_without_deformation_classes_are_the_label_maps_own(anatomy):
    """Plain and mirrored drawings occur; either equals direct resampling in every voxel."""
    classes, right = truth_on(SMALL)
    paired = PAIRED[classes]
    kinds = []
    for seed in range(8):
        drawing = draw(anatomy, seed, STILL, patch=(64, 32, 32))
        part, mask = patch_slices(drawing), drawing.mask.numpy()
        assert mask.mean() > 0.5
        matches = []
        for flip in (1, -1):
            expected = classes[::flip][part]
            expected_right = (right if flip == 1 else ~right[::-1])[part]
            sided = paired[::flip][part] & mask
            same = np.array_equal(drawing.classes.numpy(), np.where(mask, expected, 0))
            same_side = np.array_equal(drawing.right.numpy()[sided], expected_right[sided])
            assert same == same_side
            matches.append(same)
        assert sum(matches) == 1
        kinds.append(matches.index(True))
    assert set(kinds) == {0, 1}


@pytest.mark.parametrize("seed", range(5))
def test_right_structures_lie_on_the_right_however_drawn(anatomy, seed):
    drawing = draw(anatomy, seed)
    x = SMALL.affine[0, 3] + np.arange(64)
    sided = PAIRED[drawing.classes.numpy()] & drawing.mask.numpy()
    right = drawing.right.numpy()
    means = [
        np.broadcast_to(x[:, None, None], right.shape)[sided & side].mean()
        for side in (~right, right)
    ]
    assert means[0] < -8
    assert means[1] > 8


def ventricle_ml(anatomy, walls_mm, seed):
    drawing = draw(anatomy, seed, settings_with(ventricle_mm=(walls_mm, walls_mm)))
    assert drawing.mask.float().mean() > 0.99
    return int((drawing.classes == LATERAL).sum()) / 1000


@pytest.mark.parametrize("seed", [1, 3])  # one plain, one mirrored
def test_ventricles_grow_and_shrink_as_asked(anatomy, seed):
    """Two balls of 12 mm; their walls move by w exp(-d / 12 mm) at the distance d."""
    sizes = {walls: ventricle_ml(anatomy, walls, seed) for walls in (-1.5, 0.0, 2.0, 4.0)}
    ball_ml = 2 * 4 / 3 * np.pi * 1.2**3
    assert sizes[0.0] == pytest.approx(ball_ml, rel=0.05)
    assert list(sizes.values()) == sorted(sizes.values())
    for walls_mm, found_ml in sizes.items():
        moved_mm = walls_mm
        for _ in range(50):
            moved_mm = walls_mm * np.exp(-abs(moved_mm) / 12)
        expected_ml = ball_ml * ((12 + moved_mm) / 12) ** 3
        assert found_ml == pytest.approx(expected_ml, rel=0.2), walls_mm


def test_both_seeds_of_the_ventricles_differ_in_their_side(anatomy):
    flips = set()
    for seed in (1, 3):
        rng = np.random.default_rng(seed)
        rng.integers(0, 1, 3)
        rng.integers(2**62)
        flips.add(bool(rng.random() < 0.5))
    assert flips == {True, False}


def test_transforms_without_scale_and_shear_are_rotations_about_the_middle():
    middle = np.append(SMALL.affine[:3, 3] + 31.5, 1)
    matrices = [
        draw_transform(settings_with(rotation_deg=10), np.random.default_rng(n)) for n in range(20)
    ]
    for matrix in matrices:
        linear = matrix[:3, :3]
        assert linear @ linear.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(linear) == pytest.approx(1)
        assert matrix @ middle == pytest.approx(middle)
    turned = [np.degrees(np.arccos((np.trace(m[:3, :3]) - 1) / 2)) for m in matrices]
    assert 8 < np.sqrt(np.mean(np.square(turned))) < 30  # three axes: 17 degrees


def test_transforms_scale_shear_and_shift_as_set():
    assert np.array_equal(draw_transform(STILL, np.random.default_rng(0)), np.eye(4))
    rng = np.random.default_rng(0)
    scaled = [draw_transform(settings_with(scale=0.1), rng)[:3, :3] for _ in range(200)]
    assert all(np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0 for matrix in scaled)
    logs = np.log([np.diag(matrix) for matrix in scaled])
    assert logs.std() == pytest.approx(0.1, rel=0.1)
    sheared = [draw_transform(settings_with(shear=0.1), rng)[:3, :3] for _ in range(200)]
    assert np.linalg.det(sheared) == pytest.approx(np.ones(200))
    assert np.std([m[np.triu_indices(3, 1)] for m in sheared]) == pytest.approx(0.1, rel=0.1)
    shifts = [draw_transform(settings_with(shift_mm=3), rng)[:3, 3] for _ in range(200)]
    assert np.std(shifts) == pytest.approx(3, rel=0.1)


def test_all_transforms_keep_left_and_right():
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert np.linalg.det(draw_transform(SynthesisSettings(), rng)[:3, :3]) > 0.5


@pytest.mark.parametrize("sigma", [0.7, 1.6, 3.0, [0.0, 1.0, 2.5]])
def test_blur_is_a_gaussian(sigma):
    volume = torch.rand((12, 14, 10), generator=torch.Generator().manual_seed(0))
    expected = ndimage.gaussian_filter(volume.numpy(), sigma, mode="nearest", truncate=2.5)
    assert blur(volume, sigma).numpy() == pytest.approx(expected, abs=1e-5)


def test_blur_keeps_the_sum_and_has_the_width_asked_for():
    point = torch.zeros((41, 41, 41))
    point[20, 20, 20] = 5.0
    spread = blur(point, [2.0, 3.0, 0.1]).double().numpy()
    assert spread.sum() == pytest.approx(5.0, rel=1e-5)
    places = np.arange(41) - 20
    widths = [
        np.sqrt((spread.sum(axis=tuple(set(range(3)) - {axis})) * places**2).sum() / 5)
        for axis in range(3)
    ]
    assert widths[:2] == pytest.approx([2.0, 3.0], rel=0.07)  # cut off at 2.5 sigma
    assert widths[2] == 0
    assert blur(torch.full((9, 9, 9), 0.3), 2.0).numpy() == pytest.approx(0.3, abs=1e-6)


def test_smooth_noise_has_unit_spread_at_its_nodes_and_straight_lines_between():
    generator = torch.Generator().manual_seed(0)
    field = smooth_noise((25, 25, 25), (9, 9, 9), 3, generator)
    assert field.shape == (3, 25, 25, 25)
    nodes = field[:, ::3, ::3, ::3]
    assert nodes.std().item() == pytest.approx(1, abs=0.05)
    assert nodes.mean().item() == pytest.approx(0, abs=0.06)
    between = (2 * field[:, 0:24:3] + field[:, 3::3]) / 3
    assert torch.allclose(field[:, 1::3], between, atol=1e-5)


def test_labels_are_the_nearest_and_none_beyond_the_map():
    labels = np.arange(1, 61, dtype=np.uint16).reshape(3, 4, 5)
    points = torch.tensor(
        [[0, 0, 0], [1.4, 2.6, 3.9], [-0.4, 0, 0], [-0.6, 0, 0], [2, 3, 4.6], [2.4, 3.4, 4.4]]
    )
    found = sample_labels(labels, points.T[:, :, None, None])
    assert found.flatten().tolist() == [1, labels[1, 3, 4], 1, 0, 0, 60]


def test_tissues_of_both_sides_are_alike_and_in_the_order_of_t1():
    for seed in range(10):
        means, deviations = draw_tissues(STILL, np.random.default_rng(seed))
        for right, left in MIRRORS.items():
            assert means[right] == means[left]
            assert deviations[right] == deviations[left]
        assert means[4] < means[3] < means[2]
        assert means[24] < means[10] < means[7] + 0.15
        assert (deviations > 0).all()


def test_random_contrasts_have_any_order_and_one_fluid():
    orders = set()
    for seed in range(12):
        means, _ = draw_tissues(settings_with(random_contrast=1), np.random.default_rng(seed))
        assert len({float(means[label]) for label in (4, 5, 14, 15, 43, 44)}) == 1
        orders.add(tuple(np.argsort(means[[2, 3, 4]])))
    assert len(orders) > 3


def test_images_show_their_tissues(anatomy):
    """T1-weighted: cortex is darker than white matter, ventricles are darkest."""
    for seed in range(3):
        drawing = draw(anatomy, seed, STILL)
        core = ndimage.binary_erosion(drawing.classes.numpy() == LATERAL, iterations=3)
        fluid, white = (
            drawing.image[torch.from_numpy(core)],
            drawing.image[drawing.classes == WHITE],
        )
        assert fluid.mean() < 0.3
        assert white.mean() > 0.6


@pytest.mark.parametrize("seed", range(6))
def test_acquisition_keeps_shape_and_mean(seed):
    generator = torch.Generator().manual_seed(0)
    image = blur(torch.rand((20, 24, 18), generator=generator), 2.0)
    settings = settings_with(resolution_mm=3)
    found = acquire(image, settings, np.random.default_rng(seed), generator)
    assert found.shape == image.shape
    assert found.mean().item() == pytest.approx(image.mean().item(), abs=0.01)
    assert found.std() < image.std() * 1.01


def test_acquisition_adds_the_noise_asked_for():
    flat = torch.full((30, 30, 30), 0.5)
    for seed in range(5):
        rng, again = np.random.default_rng(seed), np.random.default_rng(seed)
        generator = torch.Generator().manual_seed(seed)
        found = acquire(flat, settings_with(noise=0.1), rng, generator)
        kind = again.random()  # the same draws
        if 0.4 <= kind < 0.8:
            again.uniform(1, 1)
        elif kind >= 0.8:
            again.integers(3), again.uniform(1, 1)
        assert found.std().item() == pytest.approx(again.uniform(0, 0.1), rel=0.03)


def test_an_anatomys_arrays_are_left_as_they_are(anatomy):
    before = {f.name: np.copy(getattr(anatomy, f.name)) for f in dataclasses.fields(anatomy)}
    draw(anatomy, 0, patch=(32, 32, 32))
    draw(anatomy, 2, patch=(32, 32, 32))
    for name, value in before.items():
        assert np.array_equal(getattr(anatomy, name), value)
