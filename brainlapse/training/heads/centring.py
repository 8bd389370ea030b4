"""Where heads start: centre and scale of the latents of fresh weights."""

import numpy as np
import torch

from brainlapse.training.data.scans import ScanSet, to_batch
from brainlapse.training.loop.steps import Engine
from brainlapse.training.model.precision import autocast
from brainlapse.training.model.state import TrainingState

SCANS = 64
"""Training scans that tell them, at most; they only make the first steps well-conditioned."""


@torch.no_grad()
def centre_heads(state: TrainingState, scans: ScanSet, engine: Engine) -> None:
    """Let the heads start from the training scans' latents, alike in all processes."""
    count = len(scans.names)
    means = []
    for row in np.unique(np.linspace(0, count - 1, min(count, SCANS)).round().astype(int)):
        volume = to_batch(scans.volumes[row : row + 1], engine.device)
        with autocast(engine.device, engine.precision):
            means.append(state.model.encode(volume)[0].float())
    for network in filter(None, (state.model, state.average)):
        assert network.heads is not None
        network.heads.centre_on(torch.cat(means))
