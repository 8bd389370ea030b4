import ants
import numpy as np
import pytest

from brainlapse.damage import DamagedFile
from brainlapse.preprocessing.registration.settings import LimitSettings
from brainlapse.preprocessing.registration.transforms import (
    check_transform,
    read_world_transform,
    write_world_transform,
)
from brainlapse.rejection import ScanRejected

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
TRANSFORM = np.array(
    [[1.1, 0.05, -0.1, 7.0], [-0.02, 0.9, 0.2, -11.0], [0.1, -0.2, 1.05, 4.0], [0, 0, 0, 1]]
)
POINTS_MM = np.array([[0.0, 0, 0], [10, -20, 30], [-45, 12, 3]])


def to_ants_image(volume, affine):
    """The reference's own image class, which is LPS."""
    itk = LPS @ affine
    spacing = np.linalg.norm(itk[:3, :3], axis=0)
    return ants.from_numpy(
        np.asarray(volume, np.float32),
        origin=itk[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=itk[:3, :3] / spacing,
    )


def test_a_transform_survives_the_disk(tmp_path):
    path = tmp_path / "affine.mat"
    write_world_transform(path, TRANSFORM)
    np.testing.assert_allclose(read_world_transform(path), TRANSFORM, atol=1e-12)


def test_equal_transforms_give_equal_bytes(tmp_path):
    for name in ("a.mat", "b.mat"):
        write_world_transform(tmp_path / name, TRANSFORM)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()


def test_itk_maps_points_as_the_matrix_does(tmp_path):
    path = tmp_path / "affine.mat"
    write_world_transform(path, TRANSFORM)
    flip = np.array([-1.0, -1.0, 1.0])
    itk = ants.read_transform(str(path))
    moved = [np.array(itk.apply_to_point(list(point * flip))) * flip for point in POINTS_MM]
    expected = POINTS_MM @ TRANSFORM[:3, :3].T + TRANSFORM[:3, 3]
    np.testing.assert_allclose(moved, expected, atol=1e-4)


def test_a_transform_with_a_centre_is_read(tmp_path):
    path = str(tmp_path / "itk.mat")
    matrix, centre, shift = TRANSFORM[:3, :3], np.array([5.0, -8, 12]), np.array([1.0, 2, 3])
    itk = ants.create_ants_transform(
        transform_type="AffineTransform",
        matrix=matrix,
        center=centre.tolist(),
        translation=shift.tolist(),
    )
    ants.write_transform(itk, path)
    flip = np.array([-1.0, -1.0, 1.0])
    point = np.array([3.0, 4, 5])
    expected = np.array(itk.apply_to_point(list(point * flip))) * flip
    world = read_world_transform(path)
    np.testing.assert_allclose(world[:3, :3] @ point + world[:3, 3], expected, atol=1e-4)


def test_another_kind_of_transform_is_refused(tmp_path):
    itk = ants.create_ants_transform(transform_type="Euler3DTransform")
    path = str(tmp_path / "euler.mat")
    ants.write_transform(itk, path)
    with pytest.raises(DamagedFile, match="expected an ITK affine"):
        read_world_transform(path)


def test_ants_and_the_library_resample_alike(tmp_path):
    from brainlapse.images import resample_to_grid
    from brainlapse.space import Grid

    path = tmp_path / "affine.mat"
    write_world_transform(path, TRANSFORM)
    rng = np.random.default_rng(0)
    volume = rng.random((20, 22, 24), dtype=np.float32)
    affine = np.array([[0, 0, -3.0, 30], [2, 0, 0, -20], [0, 2.5, 0, -25], [0, 0, 0, 1]])
    grid = Grid(
        (16, 18, 14), np.array([[2.0, 0, 0, -16], [0, 2, 0, -18], [0, 0, 2, -14], [0, 0, 0, 1]])
    )
    ours = resample_to_grid(volume, affine, grid, TRANSFORM)
    theirs = ants.apply_transforms(
        fixed=to_ants_image(np.zeros(grid.shape), grid.affine),
        moving=to_ants_image(volume, affine),
        transformlist=[str(path)],
        interpolator="linear",
    ).numpy()
    inside = (ours > 0) & (theirs > 0)
    assert inside.sum() > 500
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=2e-3)


@pytest.mark.parametrize(
    ("linear", "words"),
    [
        (np.diag([1.0, 1, 0]), "invertible"),
        (np.diag([-1.0, 1, 1]), "left and right"),
        (np.diag([2.5, 2.5, 2.5]), "scales of 0.5 to 2"),
        (np.diag([0.8, 1, 1.5]), "differ by 1.7 times"),
        (np.array([[1.0, 0.9, 0], [0, 1, 0], [0, 0, 1]]), "differ by 1.7 times"),
        (np.full((3, 3), np.nan), "invertible"),
    ],
)
def test_impossible_transforms_are_rejected(linear, words):
    transform = np.eye(4)
    transform[:3, :3] = linear
    with pytest.raises(ScanRejected, match=words):
        check_transform(transform, LimitSettings())


def test_a_plausible_transform_passes():
    check_transform(TRANSFORM, LimitSettings())
