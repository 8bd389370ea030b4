import numpy as np
import pytest

from brainlapse.preprocessing.longitudinal.alignment import mean_distance_mm
from brainlapse.preprocessing.longitudinal.chain import place_visit, refuse
from brainlapse.preprocessing.longitudinal.settings import LongitudinalSettings
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.settings import RegistrationSettings

REGISTRATION = RegistrationSettings(voxel_mm=4.0)
SETTINGS = LongitudinalSettings()


def place(visit, roots):
    return place_visit(visit, roots, registration_target(4.0), REGISTRATION, SETTINGS)


@pytest.fixture(scope="module")
def root(first):
    """The first visit, with an affine that no registration would find."""
    affine = np.diag([1.03, 0.98, 1.01, 1.0])
    return Root(first.scan, first.volume, first.mask, first.affine, affine)


def test_a_visit_takes_over_the_affine_of_the_first(second, root, motion, first):
    placed = place(second, [root])
    assert placed.root is root
    points = np.argwhere(first.mask)[::97] @ first.affine[:3, :3].T + first.affine[:3, 3]
    assert mean_distance_mm(placed.transform, motion @ root.transform, points) < 0.1
    determinants = [np.linalg.det(one[:3, :3]) for one in (placed.transform, root.transform)]
    assert determinants[0] == pytest.approx(determinants[1], rel=1e-9)
    assert np.exp(np.median(placed.log_field)) == pytest.approx(2, rel=0.01)
    numbers = placed.comparisons[root.scan]
    assert numbers["turned_degrees"] == pytest.approx(12.4, abs=0.3)
    assert numbers["mask_volume_ratio"] == pytest.approx(1, abs=0.01)
    assert numbers["contrast_ratio"] == pytest.approx(1, abs=0.05)


def test_a_visit_joins_the_second_root_where_the_first_is_a_stranger(second, root, stranger):
    other = Root("sub-1_ses-0", stranger.volume, stranger.mask, stranger.affine, np.eye(4))
    placed = place(second, [other, root])
    assert placed.root is root
    assert list(placed.comparisons) == ["sub-1_ses-0", root.scan]
    assert placed.comparisons["sub-1_ses-0"]["correlation"] < SETTINGS.min_correlation


def test_roots_after_the_one_joined_are_not_read(second, root):
    def roots():
        yield root
        pytest.fail("a further root was read")

    assert place(second, roots()).root is root


def test_a_stranger_stands_alone(second, stranger):
    other = Root("sub-1_ses-0", stranger.volume, stranger.mask, stranger.affine, np.eye(4))
    placed = place(second, [other])
    assert placed.root is None
    assert not placed.log_field.any()


def test_the_same_image_again_is_seen(first, root):
    again = Visit("sub-1_ses-2", first.volume, first.mask, first.affine)
    numbers = place(again, [root]).comparisons[root.scan]
    assert numbers["detail_correlation"] > 0.9999
    assert numbers["moved_mm"] < 0.01


def test_a_brain_that_was_cut_off_is_joined_by_nobody(second, root):
    mask = root.mask.copy()
    mask[:, :, : mask.shape[2] // 3] = False
    cut = Root(root.scan, root.volume, mask, root.affine, root.transform)
    placed = place(second, [cut])
    assert placed.root is None


def test_reasons_name_the_numbers():
    good = {"correlation": 0.97, "mask_coverage": 0.99}
    assert refuse(good, SETTINGS) is None
    assert "0.700" in refuse({**good, "correlation": 0.7}, SETTINGS)
    assert "0.800" in refuse({**good, "mask_coverage": 0.8}, SETTINGS)
