"""Walks through the latent space: the mean training latent, and away from it along components."""

import numpy as np
import pandas as pd

from brainlapse.analysis.pca import Components, flatten_latents, is_fitting_scan
from brainlapse.cohort.tables import is_flagged

MEAN = "mean"
LOW, HIGH = "low", "high"


def walk_latents(
    latents: np.ndarray, index: pd.DataFrame, components: Components, wanted: int, sd: float
) -> dict[str, np.ndarray]:
    """Latents to be decoded, flat, float32 (P,), by name: ``mean``, ``pc1_low``, ``pc1_high`` ...

    Parameters
    ----------
    latents, index
        Latent means (N, C, d, h, w), and a row for each.
    components
        Principal components of the training scans.
    wanted
        Components walked along, from the first; fewer where there are fewer.
    sd
        How far to each side [standard deviations of the scores].
    """
    spread = score_spread(latents, index, components)
    walk = {MEAN: components.centre}
    for number, (direction, size) in enumerate(
        zip(components.directions[:wanted], spread[:wanted], strict=True), start=1
    ):
        step = (sd * size * direction).astype(np.float32)
        walk[f"pc{number}_{LOW}"] = components.centre - step
        walk[f"pc{number}_{HIGH}"] = components.centre + step
    return walk


def score_spread(latents: np.ndarray, index: pd.DataFrame, components: Components) -> np.ndarray:
    """Return the standard deviations (K,) of the training scans' scores.

    Of all unflagged scans in a run without training scans, whose components came with a bundle.
    """
    chosen = is_fitting_scan(index)
    if not chosen.any():
        chosen = ~is_flagged(index).to_numpy()
    scores = (flatten_latents(latents)[chosen] - components.centre) @ components.directions.T
    return scores.std(axis=0, ddof=1 if len(scores) > 1 else 0)
