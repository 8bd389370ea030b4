"""Principal components of latent codes, fitted on training scans, other scans projected."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from brainlapse.cohort.tables import is_flagged

LARGEST_EXACT = 2000  # scans; above it an exact decomposition costs minutes
IDENTITY = ["dataset", "subject", "session", "scan", "split", "diagnosis", "age_years"]


def flatten_latents(latents: np.ndarray) -> np.ndarray:
    """Latents (N, C, d, h, w) as rows (N, C*d*h*w), without a copy."""
    return latents.reshape(len(latents), -1)


def principal_components(n_scans: int, n_features: int, wanted: int, seed: int) -> PCA:
    """Unfitted PCA that suits the size of the table.

    With fewer scans than features the exact decomposition costs scans^2 x features; above
    ``LARGEST_EXACT`` scans the seeded randomised solver takes its place.

    Parameters
    ----------
    n_scans, n_features : int
        Size of the table it will be fitted on.
    wanted : int
        Components wanted; fewer are kept where the centred table has a lower rank.
    seed : int
        Seed of the randomised solver.
    """
    n_components = max(0, min(wanted, n_scans - 1, n_features))
    solver = "full" if n_scans <= LARGEST_EXACT or n_components == 0 else "randomized"
    return PCA(n_components=n_components, svd_solver=solver, random_state=seed)


def is_fitting_scan(index: pd.DataFrame) -> np.ndarray:
    """Rows that something may be fitted on: of the train split and without a quality flag."""
    return ((index["split"] == "train") & ~is_flagged(index)).to_numpy()


def reduce_latents(
    latents: np.ndarray, index: pd.DataFrame, components: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Principal component scores of every scan, axes from unflagged training scans only.

    Parameters
    ----------
    latents : np.ndarray
        Latent means, float32 (N, C, d, h, w).
    index : pd.DataFrame
        One row per latent, in the same order.
    components : int
        Components wanted.
    seed : int
        Seed of the solver.

    Returns
    -------
    scores : pd.DataFrame
        Identity columns and pc1..pcN, in latent units.
    variance : pd.DataFrame
        component, explained_variance_ratio (of the training scans).

    Raises
    ------
    ValueError
        If no unflagged training scan is there to fit on.
    """
    rows = flatten_latents(latents)
    fitting = is_fitting_scan(index)
    if not fitting.any():
        message = "index.tsv: expected unflagged scans of the train split, found none; check qc.tsv"
        raise ValueError(message)
    pca = principal_components(int(fitting.sum()), rows.shape[1], components, seed)
    identity = index.reindex(columns=IDENTITY).reset_index(drop=True)
    names = [f"pc{number}" for number in range(1, pca.n_components + 1)]
    if not names:
        return identity, pd.DataFrame(columns=["component", "explained_variance_ratio"])
    pca.fit(rows[fitting])
    scores = pd.DataFrame(pca.transform(rows), columns=names)
    variance = pd.DataFrame(
        {"component": names, "explained_variance_ratio": pca.explained_variance_ratio_}
    )
    return pd.concat([identity, scores], axis="columns"), variance
