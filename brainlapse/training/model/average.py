"""Running average of the weights of a network."""

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def start_average(model: Network) -> Network:
    """Copy a network to hold the average of its weights; it takes no gradients."""
    return copy.deepcopy(model).eval().requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the weights.

    Parameters
    ----------
    decay
        Share of the average that stays; less in the first steps, when old weights mean little.
    step
        Updates made so far, this one included.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    kept = average.state_dict()
    for name, current in model.state_dict().items():
        if current.is_floating_point():
            kept[name].lerp_(current, share)
        else:
            kept[name].copy_(current)
