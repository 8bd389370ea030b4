"""Gradient checkpointing: the inside of blocks is computed again instead of kept (Chen 2016)."""

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute_blocks(network: nn.Module) -> None:
    """Make every block of a network keep its input only; numbers stay the same, bit for bit.

    A block is a member of a sequence of layers that itself has layers, such as a residual block.
    """
    for child in network.children():
        if isinstance(network, nn.Sequential | nn.ModuleList) and any(child.children()):
            forward = functools.partial(checkpoint, child.forward, use_reentrant=False)
            child.forward = forward  # type: ignore[method-assign]
        else:
            recompute_blocks(child)
