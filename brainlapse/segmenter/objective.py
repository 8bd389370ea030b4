"""What the segmenter's training minimises, and how its answers are scored."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from brainlapse.segmentation.classes import CLASSES, PAIRED

SMALLEST = 1e-5


def segmentation_terms(logits: Tensor, classes: Tensor, right: Tensor) -> dict[str, Tensor]:
    """Terms of the loss, each a scalar.

    Parameters
    ----------
    logits
        (N, 8, CLASSES + 1), of the network.
    classes
        int64 (N, 8).
    right
        bool (N, 8).

    Returns
    -------
    dict
        ``cross_entropy``, averaged over voxels; ``dice``, 1 - soft Dice averaged over the classes
        that are there; ``side``, binary cross-entropy averaged over voxels that have a side, 0
        where there is none.
    """
    flat = logits.float().view(-1, CLASSES + 1)
    truth, right = classes.reshape(-1), right.reshape(-1)
    log_shares = functional.log_softmax(flat[:, :CLASSES], dim=1)  # (M, CLASSES)
    shares = log_shares.exp()
    hit = shares.gather(1, truth[:, None])[:, 0]
    common = torch.zeros(CLASSES, dtype=hit.dtype, device=hit.device).scatter_add(0, truth, hit)
    counts = torch.bincount(truth, minlength=CLASSES)
    dice = (2 * common + SMALLEST) / (shares.sum(dim=0) + counts + SMALLEST)
    sided = torch.as_tensor(PAIRED, device=truth.device)[truth]
    side = functional.binary_cross_entropy_with_logits(
        flat[sided, CLASSES], right[sided].float(), reduction="sum"
    ) / sided.sum().clamp(min=1)
    return {
        # A patch may lie beside the brain: then there is nothing to learn, and nothing to divide.
        "cross_entropy": functional.nll_loss(log_shares, truth, reduction="sum")
        / max(1, len(truth)),
        "dice": (1 - dice[counts > 0]).sum() / (counts > 0).sum().clamp(min=1),
        "side": side,
    }


def dice_scores(found: Tensor, truth: Tensor, count: int) -> Tensor:
    """Dice overlap of every number below `count` in two integer volumes; NaN where both lack it."""
    numbers = torch.arange(count)
    sizes = [torch.bincount(volume.flatten(), minlength=count) for volume in (found, truth)]
    common = torch.bincount(found[found == truth].flatten(), minlength=count)
    total = sizes[0] + sizes[1]
    return torch.where(total > 0, 2 * common / total.clamp(min=1), torch.nan)[numbers]
