"""The perceptual distance, with made-up weights in the layout of the real files."""

import pytest
import torch
from safetensors.torch import save_file

from brainlapse.networks.perceptual import ALEXNET, PerceptualDistance, build_features
from brainlapse.networks.settings import PERCEPTUAL_FILES


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


@pytest.mark.parametrize(
    ("network", "write"), [("lpips", write_lpips), ("medicalnet", write_medicalnet)]
)
def test_distance_is_zero_for_equal_volumes_and_pulls_on_the_reconstruction_only(
    tmp_path, network, write
):
    write(tmp_path)
    distance = PerceptualDistance(build_features(network, tmp_path))
    volume = torch.rand(1, 1, 48, 48, 48)
    assert distance(volume, volume).item() == pytest.approx(0, abs=1e-9)
    other = torch.rand(1, 1, 48, 48, 48, requires_grad=True)
    distance(other, volume).backward()
    assert other.grad.abs().sum() > 0
    assert all(weights.grad is None for weights in distance.parameters())
