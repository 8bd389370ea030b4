"""Volumes and labels on their way between a scan's space and MNI space."""

import nibabel as nib
import numpy as np
import pytest

from brainlapse.preprocessing.orientation import voxel_sizes_mm
from brainlapse.segmentation.embedded import heads, placing
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.space import Grid, grid_at
from tests.unit.segmentation.planted import GRID, ball_mm3, ball_share, plant, world_of

RADIUS_MM = 30.0


def turn(degrees, axis):
    """Rotation about an axis, (3, 3)."""
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    matrix = np.eye(3)
    first, second = [other for other in range(3) if other != axis]
    matrix[first, first] = matrix[second, second] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix


def to_scan():
    """MNI mm to scan mm: turned, scaled unequally, sheared and shifted."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn(12, 0) @ turn(-8, 2) @ np.diag([0.85, 0.95, 0.9])
    matrix[:3, :3] @= np.array([[1, 0.05, 0], [0, 1, -0.04], [0, 0, 1]])
    matrix[:3, 3] = (7.0, 31.0, -18.0)
    return matrix


def scan_grid(codes, sizes_mm, shape, middle_mm, tilt_deg=0.0):
    """Grid whose axes point as the codes say, tilted, about a point."""
    axes = np.zeros((3, 3))
    for column, code in enumerate(codes):
        row = ["LR", "PA", "IS"].index(next(pair for pair in ("LR", "PA", "IS") if code in pair))
        axes[row, column] = 1 if code in "RAS" else -1
    affine = np.eye(4)
    affine[:3, :3] = turn(tilt_deg, 1) @ axes @ np.diag(sizes_mm)
    affine[:3, 3] = middle_mm - affine[:3, :3] @ (np.asarray(shape) - 1) / 2
    return Grid(shape, affine)


def apply(matrix, point):
    return matrix[:3, :3] @ point + matrix[:3, 3]


@pytest.fixture(autouse=True)
def coarse_grid(monkeypatch):
    monkeypatch.setattr(placing, "GRID", GRID)


@pytest.mark.parametrize(
    ("codes", "sizes_mm", "shape", "tilt_deg"),
    [
        ("RAS", (1.0, 1.0, 1.0), (100, 100, 100), 0),
        ("LPS", (0.8, 1.2, 1.0), (130, 90, 110), 20),
        ("PIR", (1.0, 0.9, 3.0), (100, 120, 36), -15),
    ],
)
def test_a_ball_keeps_its_size_through_the_affine_and_back(codes, sizes_mm, shape, tilt_deg):
    """The ball is planted in the scan; in MNI space it is an ellipsoid of another volume."""
    from_mni = to_scan()
    determinant = np.linalg.det(from_mni[:3, :3])
    assert 0.6 < determinant < 0.8  # far enough from 1 to tell whether it was undone
    centre_mm = apply(from_mni, np.array([0.0, -17.0, 5.0]))
    points = world_of(GRID)
    in_scan = np.einsum("ij,jxyz->ixyz", from_mni[:3, :3], points) + from_mni[:3, 3].reshape(
        3, 1, 1, 1
    )
    posteriors = plant({16: (centre_mm, RADIUS_MM)}, in_scan)

    mni = structure_volumes(posteriors, GRID.voxel_volume_mm3)["brain-stem"]
    native = structure_volumes(posteriors, GRID.voxel_volume_mm3 * determinant)["brain-stem"]
    assert mni == pytest.approx(ball_mm3(RADIUS_MM) / determinant, rel=0.01)
    assert native == pytest.approx(ball_mm3(RADIUS_MM), rel=0.01)

    grid = scan_grid(codes, sizes_mm, shape, centre_mm, tilt_deg)
    labels = placing.carry_back(posteriors, from_mni, grid)
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {0, 16}
    carried = (labels == 16).sum() * grid.voxel_volume_mm3
    assert carried == pytest.approx(ball_mm3(RADIUS_MM), rel=0.015)
    true = ball_share(world_of(grid), centre_mm, RADIUS_MM, edge_mm=1e-6) > 0.5
    overlap = 2 * (true & (labels == 16)).sum() / (true.sum() + (labels == 16).sum())
    assert overlap > 0.98


@pytest.mark.parametrize(
    ("codes", "sizes_mm", "tilt_deg"),
    [("RAS", (1, 1, 1), 0), ("LPS", (1, 1, 1), 0), ("LAS", (1.5, 1, 0.8), 10),
     ("SPR", (2, 1, 1.3), -25), ("AIL", (0.7, 2.5, 1), 35)],
)  # fmt: skip
def test_left_stays_left_on_grids_of_any_orientation(codes, sizes_mm, tilt_deg):
    from_mni = to_scan()
    structures = {
        17: ((-27.0, -21.0, -12.0), 12.0),
        53: ((27.0, -21.0, -12.0), 12.0),
        8: ((-20.0, -60.0, -20.0), 10.0),
        16: ((0.0, -30.0, -35.0), 9.0),
    }
    posteriors = plant(structures, world_of(GRID))
    shape = tuple(int(120 / size) for size in sizes_mm)
    grid = scan_grid(codes, sizes_mm, shape, apply(from_mni, np.array([0, -35, -15])), tilt_deg)
    labels = placing.carry_back(posteriors, from_mni, grid)
    assert set(np.unique(labels)) == {0, *structures}
    points = world_of(grid)
    for label, (centre_mm, _) in structures.items():
        found = points[:, labels == label].mean(axis=1)
        assert found == pytest.approx(apply(from_mni, np.array(centre_mm)), abs=0.4), label
    left, right = (points[0][labels == label].mean() for label in (17, 53))
    assert left < right - 40


def test_voxels_beyond_the_segmenters_grid_are_background():
    """A class that leads everywhere on the small grid ends where the grid ends."""
    posteriors = plant({16: ((0.0, -17.0, 5.0), 500.0)}, world_of(GRID))
    grid = grid_at(4.0, (60, 60, 60))
    labels = placing.carry_back(posteriors, np.eye(4), grid)
    reach_mm = np.array(GRID.shape).reshape(3, 1, 1, 1) * 2.0 / 2
    away = np.abs(world_of(grid) - np.reshape((0, -17, 5), (3, 1, 1, 1)))
    inside = (away <= reach_mm - 1).all(axis=0)  # up to the outermost voxel middles
    beyond = (away > reach_mm + 1).any(axis=0)
    assert (labels[inside] == 16).all()
    assert not labels[beyond].any()


def test_carried_back_in_chunks_as_at_once(monkeypatch):
    posteriors = plant({10: ((-20, -17, 5), 20.0), 49: ((20, -17, 5), 20.0)}, world_of(GRID))
    grid = scan_grid("LPS", (1, 1, 1), (110, 80, 80), np.array([0.0, -17.0, 5.0]), 10)
    whole = placing.carry_back(posteriors, np.eye(4), grid)
    monkeypatch.setattr(placing, "CHUNK", 9000)
    assert np.array_equal(placing.carry_back(posteriors, np.eye(4), grid), whole)
    assert {10, 49} <= set(np.unique(whole))


def test_nothing_found_gives_an_empty_label_map():
    posteriors = plant({}, world_of(GRID))
    assert not placing.carry_back(posteriors, np.eye(4), grid_at(2.0, (20, 20, 20))).any()


@pytest.mark.parametrize(
    ("sizes_mm", "keep", "own"),
    [
        ((1.0, 1.0, 1.0), False, True),
        ((0.96, 1.04, 1.0), False, True),
        ((0.94, 1.0, 1.0), False, False),
        ((1.0, 1.06, 1.0), False, False),
        ((0.94, 1.0, 3.0), True, True),
    ],
)
def test_own_grid_near_one_millimetre_or_on_demand(sizes_mm, keep, own):
    grid = scan_grid("LPS", sizes_mm, (60, 70, 50), np.zeros(3), 15)
    found = placing.output_grid(grid.affine, grid.shape, keep)
    same = found.shape == grid.shape and np.array_equal(found.affine, grid.affine)
    assert same == own
    if not own:
        assert voxel_sizes_mm(found.affine) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("sizes_mm", [(0.5, 2.0, 3.0), (0.7, 0.7, 1.2)])
def test_one_millimetre_grid_has_the_scans_axes_and_field_of_view(sizes_mm):
    scan = scan_grid("PIR", sizes_mm, (100, 80, 40), np.array([3.0, -8.0, 20.0]), 15)
    fine = placing.output_grid(scan.affine, scan.shape, keep_geometry=False)
    assert fine.shape == tuple(round(n * s) for n, s in zip((100, 80, 40), sizes_mm, strict=True))
    assert nib.aff2axcodes(fine.affine) == nib.aff2axcodes(scan.affine)
    for part in (-0.5, 1):  # the outer corners of the first and of the last voxel
        corners = [
            apply(grid.affine, np.full(3, -0.5) if part < 0 else np.array(grid.shape) - 0.5)
            for grid in (scan, fine)
        ]
        assert corners[1] == pytest.approx(corners[0], abs=1.0 if part > 0 else 1e-6)
    assert voxel_sizes_mm(fine.affine) == pytest.approx([1, 1, 1])


HEAD_GRID = grid_at(4.0, (64, 64, 64))


def brain_on(grid):
    """A ball of 1400 ml with a dark hole (ventricles), and where it is."""
    points = world_of(grid)
    brain = ball_share(points, (0, -17, 5), 69.4, 1e-6) > 0.5
    hole = ball_share(points, (0, -17, 5), 15.0, 1e-6) > 0.5
    values = np.random.default_rng(0).normal(600, 60, grid.shape)
    return np.where(hole, 30.0, values), brain


def test_sulci_that_were_cut_open_are_closed():
    values, brain = brain_on(HEAD_GRID)
    cut = brain.copy()
    cut[32, :, 40:] = False
    cut[brain & (values < 100)] = False
    closed = heads.close_sulci(cut, HEAD_GRID.affine)
    assert not (closed & ~brain).any()
    assert (brain & ~closed).sum() < 0.1 * (brain & ~cut).sum()  # the ends of the cut


def test_a_stripped_scan_without_a_brain_is_refused():
    speck = np.zeros(HEAD_GRID.shape, dtype=bool)
    speck[20:30, 20:30, 20:30] = True  # 64 ml
    with pytest.raises(ImplausibleImage, match="expected a brain, found a body of 64 ml"):
        heads.close_sulci(speck, HEAD_GRID.affine)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_an_mni_brain_is_only_resampled(codes):
    grid = scan_grid(codes, (2.5, 2.5, 2.5), (72, 72, 72), np.array([2.0, -15.0, 4.0]))
    points = world_of(grid)
    brain = ball_share(points, (0, -17, 5), 65.0, 1e-6) > 0.5
    ramp = np.where(brain, 500 + 2 * points[0], 0).astype(np.float32)  # brighter on the right
    placed = placing.place_mni_brain(ramp, grid.affine)
    assert np.array_equal(placed.from_mni, np.eye(4))
    assert placed.mask.shape == placed.volume.shape == GRID.shape
    assert placed.mask.sum() * GRID.voxel_volume_mm3 == pytest.approx(ball_mm3(65.0), rel=0.02)
    assert not placed.volume[~placed.mask].any()
    here = world_of(GRID)
    deep = ball_share(here, (0, -17, 5), 55.0, 1e-6) > 0.5
    assert placed.volume[deep] == pytest.approx(500 + 2 * here[0][deep], abs=0.05)


def test_a_prepared_brain_is_taken_as_it_is():
    volume = np.random.default_rng(3).uniform(0, 1, GRID.shape).astype(np.float32)
    volume[volume < 0.4] = 0
    placed = placing.take_prepared(volume, GRID.affine)
    np.testing.assert_array_equal(placed.volume, volume)
    np.testing.assert_array_equal(placed.mask, volume > 0)
    np.testing.assert_array_equal(placed.from_mni, np.eye(4))


def test_a_brain_on_another_grid_was_not_prepared():
    shifted = GRID.affine.copy()
    shifted[0, 3] += 1
    ones = np.ones(GRID.shape, np.float32)
    with pytest.raises(ImplausibleImage, match="expected a brain on the network's grid"):
        placing.take_prepared(ones, shifted)
    with pytest.raises(ImplausibleImage, match="expected a brain on the network's grid"):
        placing.take_prepared(ones[1:], GRID.affine)
    with pytest.raises(ImplausibleImage, match="found zeros"):
        placing.take_prepared(0 * ones, GRID.affine)
