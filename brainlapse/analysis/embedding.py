"""A picture of the latents in two dimensions that keeps neighbours together (UMAP)."""

import logging

import numpy as np
import pandas as pd
from umap import UMAP

from brainlapse.analysis.groups import component_names
from brainlapse.analysis.pca import IDENTITY, is_fitting_scan

AXES = ["umap1", "umap2"]
NEIGHBOURS = 15  # McInnes et al. (2018), the default of umap-learn
FEWEST = NEIGHBOURS + 1  # scans that the map is fitted to

log = logging.getLogger("brainlapse")


def embed_scores(scores: pd.DataFrame, index: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Lay every scan on a map that is fitted to unflagged training scans.

    Parameters
    ----------
    scores
        ``pca.tsv``.
    index
        ``index.tsv`` of the latents, in the same order.

    Returns
    -------
    pandas.DataFrame
        Identity columns, umap1 and umap2; no rows with fewer than 16 scans to fit to, which the
        log says.
    """
    columns = component_names(scores)
    fitting = is_fitting_scan(index)
    identity = scores[IDENTITY]
    if fitting.sum() < FEWEST or not columns:
        message = "no map of neighbours: expected %d unflagged training scans, found %d"
        log.warning(message, FEWEST, fitting.sum())
        return identity.iloc[:0].assign(**dict.fromkeys(AXES, np.nan))
    points = scores[columns].to_numpy(np.float32)
    mapping = UMAP(n_neighbors=NEIGHBOURS, random_state=seed, n_jobs=1).fit(points[fitting])
    places = np.empty((len(points), len(AXES)), dtype=np.float32)
    places[fitting] = mapping.embedding_
    if not fitting.all():
        places[~fitting] = mapping.transform(points[~fitting])
    return identity.join(pd.DataFrame(places, columns=AXES).round(4))
