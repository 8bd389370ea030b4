"""The trained segmenter, whose weights travel with the package."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from brainlapse.damage import reading
from brainlapse.networks.segmenter import BLOCK, ConvolutionPair, Segmenter, build_segmenter

WEIGHTS = Path(__file__).parent / "weights" / "segmenter.safetensors"


def load_segmenter(device: torch.device, path: Path = WEIGHTS) -> Segmenter:
    """Load the segmenter onto a device, frozen, its normalisation folded into its convolutions.

    Raises
    ------
    FileNotFoundError
        If the weights are missing.
    """
    if not path.is_file():
        message = (
            f"{path}: expected the segmenter's weights, found none; clone brainlapse again, or "
            "train them: snakemake train_segmenter"
        )
        raise FileNotFoundError(message)
    with reading(path, "clone brainlapse again, or name other weights"):
        weights = load_file(path)  # stored in half precision, used in single
        outputs = weights["head.2.bias"].numel() // BLOCK**3  # one per class, and the side
        model = build_segmenter(outputs - 1, device)
        model.load_state_dict(weights)
    model.eval().requires_grad_(False)
    for part in model.modules():
        if isinstance(part, ConvolutionPair):
            part.fold()
    return model
