"""Judging a reconstruction, and the mean image of the training scans."""

import numpy as np
import pytest
import torch

from brainlapse.images import save_volume
from brainlapse.space import grid_at
from brainlapse.training.encoding.average import mean_volume
from brainlapse.training.encoding.judging import judge, perceptual_distance
from brainlapse.training.encoding.metrics import reconstruction_metrics

GRID = grid_at(4.0, (16, 16, 16))


@pytest.fixture
def files(tmp_path):
    volume = np.random.default_rng(0).random(GRID.shape, dtype=np.float32)
    mask = np.zeros(GRID.shape, np.uint8)
    mask[4:12, 4:12, 4:12] = 1
    save_volume(tmp_path / "brain.nii.gz", volume * mask, GRID.affine)
    save_volume(tmp_path / "mask.nii.gz", mask, GRID.affine)
    return tmp_path / "brain.nii.gz", tmp_path / "mask.nii.gz"


def test_the_image_kept_ends_at_the_mask_the_metrics_see_all_of_it(files):
    image = np.full(GRID.shape, 0.5, np.float32)
    judged = judge(image, *files, None)
    assert judged.stripped.sum() == pytest.approx(0.5 * 8**3)
    assert judged.metrics["mae_whole"] > 0.4  # the background that was made up counts
    assert "perceptual" not in judged.metrics
    assert set(judged.metrics) == set(reconstruction_metrics(image, image * 0, image))


def test_perceptual_distance_grows_with_what_is_wrong(files):
    from brainlapse.images import load_volume

    scan, _ = load_volume(files[0])
    distance = perceptual_distance(GRID, torch.device("cpu"))
    noise = np.random.default_rng(1).normal(size=scan.shape).astype(np.float32)
    found = [judge(scan + size * noise, *files, distance).metrics["perceptual"]
             for size in (0.0, 0.05, 0.5)]  # fmt: skip
    assert found[0] == 0
    assert 0 < found[1] < found[2]


def test_mean_volume(tmp_path):
    for value in (0.2, 0.4, 0.9):
        save_volume(tmp_path / f"{value}.nii.gz", np.full(GRID.shape, value, np.float32), np.eye(4))
    mean = mean_volume(sorted(tmp_path.glob("*.nii.gz")), GRID.shape)
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, 0.5, atol=1e-6)
