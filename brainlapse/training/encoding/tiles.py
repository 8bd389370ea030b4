"""Decoding a latent in overlapping tiles, where the whole doesn't fit into memory.

Group normalisation divides by statistics of the whole volume, which no tile knows: background
tiles would be stretched to the contrast of brain. They are therefore gathered first, layer by
layer: a pass over all tiles for each normalisation of the decoder, then one more for the volume.
A decoder of n normalisations costs n + 1 passes over all tiles, the early ones cut short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from brainlapse.networks.interface import Autoencoder

LOCAL_LAYERS = frozenset(
    {
        *("Conv3d", "ConvTranspose3d", "GroupNorm", "SiLU", "ReLU", "LeakyReLU", "GELU"),
        *(
            "CarefulConv3d",
            "LayoutGroupNorm",
            "Identity",
            "Dropout",
            "Upsample",
            "AsymmetricPad",
            "LinearPath",
        ),
    }
)
"""Leaf layers that act on a neighbourhood (GroupNorm with statistics given). All others, such as
attention and dense layers, look at the whole volume."""

Slices = tuple[slice, slice, slice]
Statistics = dict[nn.Module, tuple[Tensor, Tensor]]


class _LayerReached(Exception):
    """The tile has come to the normalisation whose statistics are gathered; no need to go on."""


def decode_in_tiles(model: Autoencoder, latent: Tensor, tile: int, overlap: int) -> Tensor:
    """Decode one latent tile by tile; equal to the whole where the overlap is wide enough.

    Parameters
    ----------
    latent
        (1, C, d, h, w).
    tile
        Edge of what a tile contributes [latent elements].
    overlap
        What it sees beyond, on every side [latent elements]. Exact (to rounding) from the radius
        of the decoder's receptive field on; below, voxels near the seams are approximate.

    Returns
    -------
    torch.Tensor
        (1, 1, D, H, W), not clamped.

    Raises
    ------
    ValueError
        If the network has layers that look at the whole volume.
    """
    check_local(model)
    windows = list(tile_windows(tuple(latent.shape[2:]), tile, overlap))
    statistics: Statistics = {}
    while _gather_next(model, latent, windows, statistics):
        pass
    factor = model.downsampling
    volume = latent.new_empty(1, 1, *(size * factor for size in latent.shape[2:]))
    with _given_statistics(model, statistics):
        for seen, core, inner in windows:
            decoded = model.decode(latent[(..., *seen)])
            volume[(..., *scaled(core, factor))] = decoded[(..., *scaled(inner, factor))].float()
    return volume


def check_local(model: nn.Module) -> None:
    """Refuse networks that can't be decoded in tiles: ValueError names the layer."""
    leaves = {type(module).__name__ for module in model.modules() if not list(module.children())}
    if strangers := sorted(leaves - LOCAL_LAYERS):
        message = (
            f"latents.decode_tile: expected a network of local layers, found {strangers[0]}, which "
            "may look at the whole volume; set decode_tile: null and a smaller latents.batch_size"
        )
        raise ValueError(message)


def tile_windows(
    shape: tuple[int, ...], tile: int, overlap: int
) -> Iterator[tuple[Slices, Slices, Slices]]:
    """Cover a latent with tiles: what each sees, what it contributes, and where that lies in it.

    The contributions cover the latent once; all slices are in latent elements.
    """
    axes = []
    for size in shape:
        cuts = []
        for start in range(0, size, tile):
            stop = min(start + tile, size)
            first, last = max(start - overlap, 0), min(stop + overlap, size)
            cuts.append(
                (slice(first, last), slice(start, stop), slice(start - first, stop - first))
            )
        axes.append(cuts)
    for x, y, z in product(*axes):
        yield (x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2])


def scaled(window: Slices, factor: int) -> Slices:
    """Turn slices in latent elements into slices in voxels that are `factor` times as fine."""
    x, y, z = (slice(axis.start * factor, axis.stop * factor) for axis in window)
    return x, y, z


def _gather_next(model: Autoencoder, latent: Tensor, windows: list, statistics: Statistics) -> bool:
    """Gather the statistics of the first normalisation that lacks them; False if none does."""
    sums: dict[nn.Module, Tensor] = {}
    inner: Slices
    seen_depth = 0

    def add_up(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        if layer in statistics:
            return
        assert isinstance(layer, nn.GroupNorm)
        features = arguments[0]  # (1, C, a, b, c), at a multiple of the latent's resolution
        factor = features.shape[2] // seen_depth
        part = features[(0, slice(None), *scaled(inner, factor))].double()
        grouped = part.reshape(layer.num_groups, -1)
        moments = torch.stack(
            [
                grouped.sum(1),
                grouped.square().sum(1),
                torch.full_like(grouped[:, 0], len(grouped[0])),
            ]
        )  # (3, groups)
        sums[layer] = sums[layer] + moments if layer in sums else moments
        raise _LayerReached

    norms = [module for module in model.modules() if isinstance(module, nn.GroupNorm)]
    hooks: list[Any] = [norm.register_forward_pre_hook(add_up) for norm in norms]
    try:
        with _given_statistics(model, statistics):
            for seen, _, inner in windows:  # noqa: B007  read by the hook
                seen_depth = seen[0].stop - seen[0].start
                try:
                    model.decode(latent[(..., *seen)])
                except _LayerReached:
                    continue
                return False
    finally:
        for hook in hooks:
            hook.remove()
    for layer, (total, squares, count) in sums.items():
        mean = total / count
        statistics[layer] = (mean, squares / count - mean**2)
    return True


@contextmanager
def _given_statistics(model: nn.Module, statistics: Statistics) -> Iterator[None]:
    """Let normalisations use the statistics given instead of those of their input."""

    def normalise(layer: nn.Module, arguments: tuple[Tensor, ...], _: Tensor) -> Tensor:
        assert isinstance(layer, nn.GroupNorm)
        mean, variance = statistics[layer]
        scale = torch.rsqrt(variance + layer.eps).float()
        per_channel = layer.num_channels // layer.num_groups
        wide = (1, -1, 1, 1, 1)
        gain = layer.weight * scale.repeat_interleave(per_channel)
        shift = layer.bias - gain * mean.float().repeat_interleave(per_channel)
        return arguments[0] * gain.view(wide) + shift.view(wide)

    hooks: list[Any] = [layer.register_forward_hook(normalise) for layer in statistics]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
