"""The segmenter: a U-Net for T1-weighted brains in MNI space, at 1 mm.

Blocks of 2 x 2 x 2 voxels become 8 channels, all convolutions run at 2 mm and coarser, and the
head gives each of the 8 voxels of a block its own classes, so that the output is at full
resolution for an eighth of the cost. Because the brain lies in MNI space, three channels say where
in it a block lies. Left and right are no classes of their own: a structure and its mirror image
share one class, and one further output says on which side of the brain a voxel lies.
"""

import itertools

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from brainlapse.networks.blocks import space_to_depth
from brainlapse.networks.small_maps import guard_small_maps

BLOCK = 2
COORDINATE_SCALE_MM = 100.0
CHANNELS = (32, 64, 128, 160)
"""Widths at 2, 4, 8 and 16 mm; three halvings, so the grid of blocks must be divisible by 8."""
GRID_FACTOR = BLOCK * 2 ** (len(CHANNELS) - 1)


class ConvolutionPair(nn.Sequential):
    """Two 3 x 3 x 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for width in (channels_in, channels_out):
            layers += [
                nn.Conv3d(width, channels_out, 3, padding=1, bias=False),
                nn.BatchNorm3d(channels_out, momentum=0.02),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)

    def fold(self) -> None:
        """Make each convolution and its trained normalisation one convolution."""
        layers = list(self)
        for number, (layer, after) in enumerate(itertools.pairwise(layers)):
            if isinstance(layer, nn.Conv3d) and isinstance(after, nn.BatchNorm3d):
                self[number] = fuse_conv_bn_eval(layer, after)
                self[number + 1] = nn.Identity()


class Segmenter(nn.Module):
    """Classes and sides of the voxels of brains in MNI space.

    Parameters
    ----------
    classes
        Structures counted without their side, background included.
    """

    def __init__(self, classes: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.classes = classes
        widths = [BLOCK**3 + 3, *channels]
        self.encoder = nn.ModuleList(
            ConvolutionPair(before, after) for before, after in itertools.pairwise(widths)
        )
        self.down = nn.ModuleList(nn.Conv3d(width, width, 2, stride=2) for width in channels[:-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, 2, stride=2)
            for fine, coarse in itertools.pairwise(channels)
        )
        self.decoder = nn.ModuleList(ConvolutionPair(2 * width, width) for width in channels[:-1])
        self.head = nn.Sequential(
            nn.Linear(channels[0], 2 * channels[0]),
            nn.ReLU(inplace=True),
            nn.Linear(2 * channels[0], BLOCK**3 * (classes + 1)),
        )

    def features(self, volume: Tensor, blocks_mm: Tensor) -> list[Tensor]:
        """Feature maps of the encoder, finest first.

        Parameters
        ----------
        volume
            (B, 1, D, H, W), 0..1, at 1 mm.
        blocks_mm
            (B, 3, D/2, H/2, W/2), where the middle of every block lies in MNI space [mm].

        Returns
        -------
        list of Tensor
            (B, 32, D/2, ...), (B, 64, D/4, ...), (B, 128, D/8, ...), (B, 160, D/16, ...).
        """
        position = blocks_mm.to(volume.dtype) / COORDINATE_SCALE_MM
        maps = torch.cat([space_to_depth(volume, BLOCK), position], dim=1)
        maps = maps.contiguous(memory_format=torch.channels_last_3d)
        levels = []
        for level, block in enumerate(self.encoder):
            if level:
                maps = self.down[level - 1](maps)
            maps = block(maps)
            levels.append(maps)
        return levels

    def forward(self, volume: Tensor, blocks_mm: Tensor, wanted: Tensor) -> Tensor:
        """Logits of the wanted blocks.

        Parameters
        ----------
        volume, blocks_mm
            See `features`.
        wanted
            bool (B, D/2, H/2, W/2): blocks that hold brain; the head runs on these alone.

        Returns
        -------
        Tensor
            (N, 8, classes + 1): for each of the N wanted blocks, in the order of
            ``wanted.nonzero()``, and each of its 8 voxels, in the order of `space_to_depth`, the
            logits of the classes and, last, of the right side.
        """
        levels = self.features(volume, blocks_mm)
        maps = levels.pop()
        for up, block in zip(reversed(self.up), reversed(self.decoder), strict=True):
            maps = block(torch.cat([up(maps), levels.pop()], dim=1))
        rows = maps.permute(0, 2, 3, 4, 1)[wanted]  # (N, 32)
        return self.head(rows).view(len(rows), BLOCK**3, self.classes + 1)


def build_segmenter(classes: int, device: torch.device) -> Segmenter:
    """Fresh segmenter on a device, in the memory layout in which it is fast."""
    model = Segmenter(classes)
    guard_small_maps(model)
    for weights in model.parameters():
        if weights.dim() == 5:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
    return model.to(device)


def block_positions(
    affine: Tensor, shape: tuple[int, int, int], first: tuple[int, int, int] = (0, 0, 0)
) -> Tensor:
    """Where the blocks of a patch lie.

    Parameters
    ----------
    affine
        Voxel of the whole grid to MNI mm, (4, 4).
    shape
        Voxels of the patch.
    first
        Voxel of the whole grid with which the patch begins.

    Returns
    -------
    Tensor
        float32 (3, D/2, H/2, W/2), MNI mm of the blocks' middles.
    """
    axes = [
        torch.arange(begin, begin + size, BLOCK, dtype=torch.float32) + (BLOCK - 1) / 2
        for begin, size in zip(first, shape, strict=True)
    ]
    voxels = torch.stack(torch.meshgrid(*axes, indexing="ij"))  # (3, D/2, H/2, W/2)
    affine = affine.to(torch.float32)
    return torch.einsum("ij,jxyz->ixyz", affine[:3, :3], voxels) + affine[:3, 3].view(3, 1, 1, 1)


def mask_blocks(mask: Tensor) -> Tensor:
    """Blocks that hold a voxel of masks, bool (B, D, H, W) -> bool (B, D/2, H/2, W/2)."""
    return functional.max_pool3d(mask[:, None].float(), BLOCK)[:, 0] > 0


def block_rows(volume: Tensor, wanted: Tensor) -> Tensor:
    """Values of the wanted blocks: (B, D, H, W), bool (B, D/2, H/2, W/2) -> (N, 8)."""
    blocks = space_to_depth(volume[:, None], BLOCK)  # (B, 8, D/2, H/2, W/2)
    return blocks.permute(0, 2, 3, 4, 1)[wanted]
