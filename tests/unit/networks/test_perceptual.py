"""The perceptual distance: the segmenter's weights, and made-up ones in the others' layout."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy import ndimage

from brainlapse.networks.perceptual import ALEXNET, PerceptualDistance, build_features
from brainlapse.networks.settings import PERCEPTUAL_FILES
from brainlapse.networks.trained import WEIGHTS, load_segmenter
from brainlapse.segmentation.classes import CLASSES
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain

GRID = grid_at(4.0, (40, 48, 40))
CPU = torch.device("cpu")


def write_lpips(folder):
    weights = {}
    for layer, (index, _, width, kernel, _, _) in enumerate(ALEXNET):
        width_in = (3, 64, 192, 384, 256)[layer]
        weights[f"features.{index}.weight"] = 0.05 * torch.randn(width, width_in, kernel, kernel)
        weights[f"features.{index}.bias"] = torch.zeros(width)
        weights[f"lin{layer}.model.1.weight"] = torch.rand(1, width, 1, 1)
    save_file(weights, folder / PERCEPTUAL_FILES["lpips"])


def write_medicalnet(folder):
    from monai.networks.nets.resnet import resnet10

    network = resnet10(
        spatial_dims=3,
        n_input_channels=1,
        feed_forward=False,
        shortcut_type="B",
        bias_downsample=False,
    )
    save_file(network.state_dict(), folder / PERCEPTUAL_FILES["medicalnet"])


def to_volume(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None, None]


@pytest.fixture(scope="module")
def brain():
    """The template at 4 mm, on the intensities of the chain."""
    t1, mask = load_template_brain(GRID)
    return np.clip(0.85 * t1, 0, 1) * mask


@pytest.fixture(scope="module")
def segmenter_distance():
    return PerceptualDistance(build_features("segmenter", "", GRID))


@pytest.mark.parametrize(
    ("network", "write"),
    [("lpips", write_lpips), ("medicalnet", write_medicalnet), ("segmenter", lambda folder: None)],
)
def test_distance_is_zero_for_equal_volumes_and_pulls_on_the_reconstruction_only(
    tmp_path, network, write
):
    write(tmp_path)
    grid = grid_at(2.5, (48, 48, 48))
    distance = PerceptualDistance(build_features(network, tmp_path, grid))
    volume = torch.rand(1, 1, 48, 48, 48)
    assert distance(volume, volume).item() == pytest.approx(0, abs=1e-9)
    other = torch.rand(1, 1, 48, 48, 48, requires_grad=True)
    distance(other, volume).backward()
    assert other.grad.abs().sum() > 0
    assert all(weights.grad is None for weights in distance.parameters())


def test_weights_of_the_segmenter_are_finite():
    weights = load_file(WEIGHTS)
    assert [name for name, values in weights.items() if not values.isfinite().all()] == []


def test_segmenter_is_frozen_and_knows_the_classes(segmenter_distance):
    assert load_segmenter(CPU).classes == CLASSES
    assert not any(module.training for module in segmenter_distance.features.modules())
    assert not any(weights.requires_grad for weights in segmenter_distance.parameters())


def test_missing_weights_of_the_segmenter_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        load_segmenter(CPU, tmp_path / "none.safetensors")


def test_segmenter_features_repeat_and_leave_the_network_as_it_was(segmenter_distance, brain):
    before = {name: v.clone() for name, v in segmenter_distance.state_dict().items()}
    volume, blurred = to_volume(brain), to_volume(ndimage.gaussian_filter(brain, 1))
    first = segmenter_distance(blurred, volume)
    assert torch.equal(segmenter_distance(blurred, volume), first)
    again = PerceptualDistance(build_features("segmenter", "", GRID))
    assert torch.equal(again(blurred, volume), first)
    after = segmenter_distance.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_segmenter_distance_grows_with_blur(segmenter_distance, brain):
    found = [
        segmenter_distance(to_volume(ndimage.gaussian_filter(brain, width)), to_volume(brain))
        for width in (0, 0.5, 1, 2)
    ]
    assert found == sorted(found)
    assert found[0] == 0
    assert found[1] > 0


def test_segmenter_distance_grows_with_ventricles_more_than_with_noise(segmenter_distance, brain):
    places = np.indices(GRID.shape).reshape(3, -1)
    x, y, z = (GRID.affine[:3, :3] @ places + GRID.affine[:3, 3:]).reshape(3, *GRID.shape)
    deep = (np.abs(x) < 32) & (np.abs(y + 15) < 45) & (np.abs(z - 10) < 20)
    fluid = deep & (brain < 0.45)
    random = np.random.default_rng(0)
    found = [0.0]
    for growth in (1, 2):
        wider = np.where(ndimage.binary_dilation(fluid, iterations=growth) & deep, 0.25, brain)
        change = np.abs(wider - brain).mean()
        noise = random.standard_normal(brain.shape) * (brain > 0)
        noisy = brain + noise * change / np.abs(noise).mean()
        found.append(segmenter_distance(to_volume(wider), to_volume(brain)).item())
        assert found[-1] > 4 * segmenter_distance(to_volume(noisy), to_volume(brain)).item()
    assert found == sorted(found)


@pytest.mark.parametrize("shape", [(17, 20, 33), (16, 16, 16)])
def test_segmenter_features_take_any_grid(shape):
    features = build_features("segmenter", "", grid_at(3.0, shape))
    finest, *_, coarsest = features(torch.rand(2, 1, *shape))
    assert finest.shape == (2, 32, *(-(-size // 2) for size in shape))
    assert coarsest.shape[:2] == (2, 160)
