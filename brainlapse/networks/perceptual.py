"""Perceptual distance: how far two volumes lie apart in the features of a frozen network.

A feature network is any module that maps volumes (B, 1, D, H, W) to a list of feature maps,
one per layer; `build_features` is the place where a further one is added. Weights come from
safetensors files only; nothing is unpickled and nothing is downloaded. The default is the encoder
of the segmenter that travels with the package.
"""

from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors.torch import load_file
from torch import Tensor, nn

from brainlapse.damage import reading
from brainlapse.networks.segmenter import BLOCK, Segmenter, block_positions
from brainlapse.networks.settings import PERCEPTUAL_FILES
from brainlapse.networks.trained import load_segmenter
from brainlapse.space import Grid

ALEXNET = ((0, 1, 64, 11, 4, 2), (3, 64, 192, 5, 1, 2), (6, 192, 384, 3, 1, 1),
           (8, 384, 256, 3, 1, 1), (10, 256, 256, 3, 1, 1))  # fmt: skip
"""(torchvision index, channels in, out, kernel, stride, padding); the grey input fills RGB."""
LPIPS_SHIFT = (-0.030, -0.088, -0.188)
LPIPS_SCALE = (0.458, 0.448, 0.450)


class PerceptualDistance(nn.Module):
    """Squared difference of channel-normalised features (LPIPS; Zhang et al. 2018).

    Averaged over space and scans, summed over layers. Layers may carry learned channel
    weights (`features.channel_weights`); without them every channel counts alike.
    """

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features.eval().requires_grad_(False)

    def forward(
        self, reconstruction: Tensor, volume: Tensor
    ) -> Tensor:  # (B, 1, D, H, W) x 2 -> ()
        """Distance, a scalar; gradients flow to the reconstruction only."""
        with torch.no_grad():
            targets = self.features(volume)
        total = reconstruction.new_zeros(())
        weights = getattr(self.features, "channel_weights", [None] * len(targets))
        for found, target, weight in zip(
            self.features(reconstruction), targets, weights, strict=True
        ):
            square = (functional.normalize(found, dim=1) - functional.normalize(target, dim=1)) ** 2
            total = total + (square if weight is None else square * weight).sum(dim=1).mean()
        return total


class SegmenterFeatures(nn.Module):
    """The segmenter's encoder: four layers that were trained to tell a brain's structures apart.

    The grid's voxels are taken as they are, also where they are not of the 1 mm that the network
    was trained on: resampling a volume of 2.5 mm would make 16 times as many voxels and cost more
    than the autoencoder. What goes in beside them is the true place of every block in MNI space.
    """

    blocks_mm: Tensor

    def __init__(self, segmenter: Segmenter, grid: Grid) -> None:
        super().__init__()
        self.segmenter = segmenter
        x, y, z = (size + size % BLOCK for size in grid.shape)
        blocks_mm = block_positions(torch.from_numpy(grid.affine), (x, y, z))
        self.register_buffer("blocks_mm", blocks_mm[None])

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Feature maps at 1/2, 1/4, 1/8 and 1/16 resolution of volumes on the grid, 0 to 1."""
        missing = [side for size in volume.shape[:1:-1] for side in (0, size % BLOCK)]
        volume = functional.pad(volume, missing)
        return self.segmenter.features(volume, self.blocks_mm.expand(len(volume), -1, -1, -1, -1))


class LpipsFeatures(nn.Module):
    """AlexNet features of LPIPS on slices of all three orientations (2.5D).

    Expects `lpips_alex.safetensors` with torchvision's `features.<i>.weight|bias` and LPIPS'
    `lin<k>.model.1.weight`.
    """

    def __init__(self, weights: dict[str, Tensor], slices_per_axis: int = 8) -> None:
        super().__init__()
        self.slices_per_axis = slices_per_axis
        self.convolutions = nn.ModuleList()
        for index, _, width_out, kernel, stride, padding in ALEXNET:
            stored = weights[f"features.{index}.weight"]
            layer = nn.Conv2d(stored.shape[1], width_out, kernel, stride, padding)
            layer.load_state_dict({"weight": stored, "bias": weights[f"features.{index}.bias"]})
            self.convolutions.append(layer)
        for number in range(len(ALEXNET)):
            self.register_buffer(f"linear{number}", weights[f"lin{number}.model.1.weight"])

    @property
    def channel_weights(self) -> list[Tensor]:
        """Learned weight of every channel, (1, C, 1, 1) per layer, for the three orientations."""
        return [getattr(self, f"linear{layer}") for layer in range(len(ALEXNET))] * 3

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Feature maps of slices: five layers for each of the three orientations."""
        return [layer for axis in (2, 3, 4) for layer in self._slices(volume, axis)]

    def _slices(self, volume: Tensor, axis: int) -> list[Tensor]:
        size = volume.shape[axis]
        step = max(1, size // self.slices_per_axis)
        positions = torch.arange(step // 2, size, step, device=volume.device)
        planes = (
            volume.index_select(axis, positions).movedim(axis, 1).flatten(0, 1)
        )  # (B S, 1, H, W)
        shift, scale = (planes.new_tensor(v).view(1, 3, 1, 1) for v in (LPIPS_SHIFT, LPIPS_SCALE))
        maps = (planes * 2 - 1 - shift) / scale  # (B S, 3, H, W)
        layers = []
        for index, convolution in enumerate(self.convolutions):
            maps = functional.max_pool2d(maps, 3, 2) if index in (1, 2) else maps
            maps = functional.relu(convolution(maps))
            layers.append(maps)
        return layers


class MedicalNetFeatures(nn.Module):
    """Features of MedicalNet's 3D ResNet-10 (Chen et al. 2019), built by MONAI."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        from monai.networks.nets.resnet import resnet10

        self.network = resnet10(
            spatial_dims=3, n_input_channels=1, feed_forward=False, shortcut_type="B",
            bias_downsample=False,
        )  # fmt: skip
        self.network.load_state_dict({k.removeprefix("module."): v for k, v in weights.items()})

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Feature maps after the four stages, of volumes standardised over the batch's scans."""
        deviation = volume.std(dim=(1, 2, 3, 4), keepdim=True) + 1e-6
        maps = (volume - volume.mean(dim=(1, 2, 3, 4), keepdim=True)) / deviation
        maps = self.network.maxpool(self.network.act(self.network.bn1(self.network.conv1(maps))))
        layers = []
        for stage in (
            self.network.layer1,
            self.network.layer2,
            self.network.layer3,
            self.network.layer4,
        ):
            maps = stage(maps)
            layers.append(maps)
        return layers


def build_features(network: str, folder: str | Path, grid: Grid) -> nn.Module:
    """Build the named feature network.

    Parameters
    ----------
    folder
        Holds the safetensors file of a network that doesn't travel with the package.
    grid
        Of the volumes that will be compared, in MNI space.
    """
    if network == "segmenter":
        return SegmenterFeatures(load_segmenter(torch.device("cpu")), grid)
    path = Path(folder) / PERCEPTUAL_FILES[network]
    with reading(path, "convert it again, see docs/autoencoders.md"):
        weights = load_file(path)
        return LpipsFeatures(weights) if network == "lpips" else MedicalNetFeatures(weights)
