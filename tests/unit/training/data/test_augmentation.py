"""Random changes of training scans."""

import pytest
import torch
import torch.nn.functional as functional

from brainlapse.training.data import augmentation
from brainlapse.training.settings import AugmentationSettings

OFF = AugmentationSettings(warp_mm=0, flip_probability=0, gamma=0, gain=0)


def blob(shape=(24, 28, 24)):
    """A smooth off-centre bump, (2, 1, D, H, W)."""
    axes = torch.meshgrid(*[torch.linspace(-1, 1, size) for size in shape], indexing="ij")
    return torch.exp(-4 * ((axes[0] - 0.3) ** 2 + axes[1] ** 2 + axes[2] ** 2)).expand(2, 1, *shape)


def test_all_off_changes_nothing():
    torch.testing.assert_close(augmentation.augment(blob(), OFF, 2.5), blob())


def test_flip_mirrors_left_and_right_only():
    flipped = augmentation.flip(blob(), 1.0)
    assert torch.equal(flipped, blob().flip(2))


def test_displacement_moves_by_that_many_voxels():
    volume = blob()
    shift = torch.zeros(2, 3, *volume.shape[2:])
    shift[:, 1] = 3
    moved = augmentation.displace(volume, shift)
    torch.testing.assert_close(moved[:, :, :, :-3], volume[:, :, :, 3:], atol=1e-5, rtol=0)


def test_a_coarse_lattice_moves_like_the_full_field():
    volume = blob()
    coarse = torch.randn(2, 3, 4, 5, 4)
    full = functional.interpolate(
        coarse, size=list(volume.shape[2:]), mode="trilinear", align_corners=True
    )
    moved = augmentation.displace(volume, coarse)
    torch.testing.assert_close(moved, augmentation.displace(volume, full), atol=1e-5, rtol=0)


def test_warps_are_smooth_and_as_large_as_asked():
    torch.manual_seed(0)
    lattice = augmentation.random_displacement(40, [160, 200, 160], 3.0, 24.0)
    assert lattice.shape == (40, 3, 8, 9, 8)
    assert 2.8 < lattice.std().item() < 3.2
    assert lattice.diff(dim=2).abs().max().item() < 20  # mm per lattice step of 23 mm: no folding


@pytest.mark.parametrize(
    "change", [{"warp_mm": 3}, {"flip_probability": 1}, {"gamma": 0.2}, {"gain": 0.2}]
)
def test_each_setting_acts_and_keeps_the_range(change):
    torch.manual_seed(0)
    changed = augmentation.augment(blob(), OFF.model_copy(update=change), 2.5)
    assert not torch.allclose(changed, blob(), atol=1e-3)
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert changed.shape == (2, 1, 24, 28, 24)


def test_background_stays_empty():
    settings = AugmentationSettings()
    assert augmentation.augment(torch.zeros(2, 1, 16, 16, 16), settings, 2.5).abs().max() == 0
