"""Heads for the models that have them.

The module that computes them is imported by name, and the rule adds its code to the fingerprint of
such models: an edit there trains no other model again.
"""

import importlib
import logging
from collections.abc import Sequence
from typing import Any

from brainlapse.networks.interface import Heads
from brainlapse.training.data.scans import TrainingData
from brainlapse.training.settings import AutoencoderSettings

HEADS_MODULE = "brainlapse.training.heads.network"

log = logging.getLogger("brainlapse")


def load_heads(
    settings: AutoencoderSettings, labels: Sequence[Sequence[Any]], data: TrainingData
) -> Heads | None:
    """Build the heads of a model, or None where the config names none or nothing is labelled."""
    if settings.heads is None:
        return None
    if not labels:
        log.warning("no training scan has a label of %s: no heads", ", ".join(settings.heads.tasks))
        return None
    shape = settings.network.latent_shape(data.grid.shape)
    return importlib.import_module(HEADS_MODULE).build_heads(labels, data.train.names, shape)
