"""Principal components of latent codes, fitted on training scans, other scans projected."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load, save
from sklearn.decomposition import PCA

from brainlapse.cohort.tables import is_flagged
from brainlapse.damage import reading

COMPONENTS_NAME = "components.safetensors"
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


@dataclass(frozen=True)
class Components:
    """Principal components, with all that it takes to project a scan on them.

    Attributes
    ----------
    centre
        Mean latent of the training scans, float32 (P,).
    directions
        Unit vectors, float32 (K, P).
    variance_ratio
        Share of the training scans' variance, float32 (K,).
    """

    centre: np.ndarray
    directions: np.ndarray
    variance_ratio: np.ndarray

    def project(self, latents: np.ndarray) -> np.ndarray:
        """Scores (N, K) of latents (N, C, d, h, w)."""
        return (flatten_latents(latents) - self.centre) @ self.directions.T


def fit_components(
    latents: np.ndarray, index: pd.DataFrame, wanted: int, seed: int
) -> Components | None:
    """Fit to unflagged training scans; None where there are none. Arguments as `reduce_latents`."""
    fitting = is_fitting_scan(index)
    if not fitting.any():
        return None
    rows = flatten_latents(latents)[fitting]
    pca = principal_components(len(rows), rows.shape[1], wanted, seed)
    if not pca.n_components:
        none = np.zeros((0, rows.shape[1]), dtype=np.float32)
        return Components(rows.mean(axis=0), none, np.zeros(0, dtype=np.float32))
    pca.fit(rows)
    parts = (pca.mean_, pca.components_, pca.explained_variance_ratio_)
    return Components(*(part.astype(np.float32) for part in parts))


def known_components(
    latents: np.ndarray,
    index: pd.DataFrame,
    wanted: int,
    seed: int,
    known: Components | None = None,
) -> Components:
    """Fit to unflagged training scans, or return what is known. Arguments as `reduce_latents`.

    Raises
    ------
    ValueError
        If no unflagged training scan is there to fit on, and nothing is known.
    """
    found = fit_components(latents, index, wanted, seed) or known
    if found is None:
        message = "index.tsv: expected unflagged scans of the train split, found none; check qc.tsv"
        raise ValueError(message)
    return found


def read_components(path: str | Path) -> Components:
    """Read the components that came with a bundle.

    Raises
    ------
    DamagedFile
        If the file holds anything else.
    """
    with reading(path):
        return unpack_components(Path(path).read_bytes())


def pack_components(components: Components) -> bytes:
    """Return the content of a safetensors file."""
    return save({name: np.ascontiguousarray(part) for name, part in vars(components).items()})


def unpack_components(content: bytes) -> Components:
    """Undo `pack_components`.

    Raises
    ------
    ValueError
        If it holds anything else, numbers that are not finite, or shapes that do not fit.
    """
    try:
        parts = load(content)
        found = Components(**parts)
    except (SafetensorError, TypeError, KeyError) as error:
        message = f"expected principal components, found none ({error})"
        raise ValueError(message) from None
    count, size = len(found.variance_ratio), found.centre.size
    shapes = {name: part.shape for name, part in parts.items()}
    expected = {"centre": (size,), "directions": (count, size), "variance_ratio": (count,)}
    if shapes != expected or not all(np.isfinite(part).all() for part in parts.values()):
        message = f"expected finite numbers of the shapes {expected}, found {shapes}"
        raise ValueError(message)
    return found


def reduce_latents(
    latents: np.ndarray,
    index: pd.DataFrame,
    components: int,
    seed: int,
    known: Components | None = None,
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
    known : Components | None
        Of the training scans of the bundle that the model came from: for a run without any.

    Returns
    -------
    scores : pd.DataFrame
        Identity columns and pc1..pcN, in latent units.
    variance : pd.DataFrame
        component, explained_variance_ratio (of the training scans).

    Raises
    ------
    ValueError
        If no unflagged training scan is there to fit on, and nothing is known.
    """
    found = known_components(latents, index, components, seed, known)
    identity = index.reindex(columns=IDENTITY).reset_index(drop=True)
    names = [f"pc{number}" for number in range(1, len(found.variance_ratio) + 1)][:components]
    scores = pd.DataFrame(found.project(latents)[:, : len(names)], columns=names)
    ratios = found.variance_ratio[: len(names)]
    variance = pd.DataFrame({"component": names, "explained_variance_ratio": ratios})
    return pd.concat([identity, scores], axis="columns"), variance
