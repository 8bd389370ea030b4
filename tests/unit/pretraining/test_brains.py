"""Synthetic brains: as the chain would leave them, and the same for the same seed."""

import numpy as np
import pytest
from pydantic import ValidationError

from brainlapse.pretraining.brains import draw_brain, draw_brains, part_anatomies, save_brains
from brainlapse.pretraining.outputs import load_brains, middle_space
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.segmenter.anatomies import save_anatomy
from brainlapse.space import grid_at
from tests.unit.segmenter.heads import make_anatomy

GRID = grid_at(4.0, (48, 48, 48))


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy()


@pytest.fixture(scope="module")
def brain(anatomy):
    return draw_brain(anatomy, PretrainingSettings().synthesis, GRID, np.random.default_rng(3))


def test_a_brain_is_stripped_and_normalised(brain):
    assert brain.dtype == np.float32
    assert brain.shape == GRID.shape
    assert brain.min() == 0
    assert 0.85 < brain.max() <= 1
    volume_ml = (brain > 0).sum() * GRID.voxel_volume_mm3 / 1000
    assert 1000 < volume_ml < 2500  # the made brain has about 1750 ml
    edges = [brain.take(index, axis) for axis in range(3) for index in (0, -1)]
    assert not any(edge.any() for edge in edges)


def test_white_matter_is_brightest(brain):
    counts, edges = np.histogram(brain[brain > 0.3], bins=35)
    assert edges[counts.argmax()] == pytest.approx(0.85, abs=0.08)  # most of the made brain


def test_the_same_seed_draws_the_same_brain_and_another_one_another(anatomy, brain):
    def draw(seed):
        return draw_brain(
            anatomy, PretrainingSettings().synthesis, GRID, np.random.default_rng(seed)
        )

    assert np.array_equal(draw(3), brain)
    assert np.abs(draw(4) - brain).mean() > 0.005


@pytest.mark.slow
def test_brains_depend_on_their_number_not_on_how_many_or_on_processes(anatomy, tmp_path):
    save_anatomy(tmp_path / "one.npz", anatomy)
    save_anatomy(tmp_path / "two.npz", anatomy)
    paths = sorted(tmp_path.glob("*.npz"))
    settings = PretrainingSettings(shape=(32, 32, 32), voxel_mm=(4, 4))
    few = list(draw_brains(paths, 2, settings, 0, 1))
    more = list(draw_brains(paths, 3, settings, 0, 2))
    assert all(np.array_equal(*pair) for pair in zip(few, more[:2], strict=True))
    assert not np.array_equal(more[0], more[2])
    save_brains(tmp_path / "train.npy", more, settings.shape, 3)
    save_brains(tmp_path / "validation.npy", few, settings.shape, 2)
    data = load_brains(tmp_path / "train.npy", tmp_path / "validation.npy", settings)
    assert data.train.volumes.dtype == np.float16
    assert np.array_equal(data.train.volumes[2], more[2])
    assert data.validation.names == ("validation/0", "validation/1")
    assert data.voxel_mm == 4


def test_label_maps_of_validation_train_nothing(tmp_path):
    paths = [tmp_path / f"{name}.npz" for name in ("a", "b", "c")]
    assert part_anatomies(paths, ["b"]) == ([paths[0], paths[2]], [paths[1]])
    for names in ([], ["unknown"], ["a", "b", "c"]):
        with pytest.raises(ValueError, match=r"segmenter\.validation: expected some of the 3"):
            part_anatomies(paths, names)


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def broken():
        yield np.zeros((2, 2, 2))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_brains(tmp_path / "train.npy", broken(), (2, 2, 2), 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voxel_mm": (3, 2)}, "two ascending sizes, found 3.0 and 2.0"),
        ({"voxel_mm": (0.5, 2)}, "greater than or equal to 1"),
        ({"shape": (60, 80, 62)}, "must be divisible by the downsampling, 8"),
    ],
)
def test_senseless_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        PretrainingSettings.model_validate(settings)


def test_warps_are_scaled_for_the_middle_voxel():
    assert middle_space(PretrainingSettings()).voxel_mm == 2.5
