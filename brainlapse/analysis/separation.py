"""Whether groups of people stand apart in the space of the components, and which groups do."""

import numpy as np
import pandas as pd
from sklearn.metrics import pairwise_distances

from brainlapse.analysis.groups import (
    FEWEST,
    GROUPINGS,
    SIDES,
    component_names,
    join_scans,
    tabulate_people,
)
from brainlapse.analysis.permutation import permutation_test

SEPARATION_COLUMNS = [
    *("column", "split", "silhouette", "p_value", "people", "groups", "components", "note"),
]
PERMUTATIONS = 999
MOST = 2000  # people that distances are taken of


def tabulate_separation(scores: pd.DataFrame, index: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure how far groups of people stand apart, on one mean of their scans each.

    Parameters
    ----------
    scores
        ``pca.tsv``: dataset, scan and the components.
    index
        ``index.tsv`` of the latents: flagged scans count for nothing; columns of the user say the
        site.
    seed
        Seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        ``SEPARATION_COLUMNS``, a row per grouping and side: people of the train split, on whom the
        axes were fitted, and all others. ``silhouette`` [-1 to 1] (Rousseeuw 1987) of the groups
        in all components of the table, Euclidean; ``p_value``: share of shuffles of the groups
        over people that reach it. Of more than 2,000 people a seeded draw counts. Groups of fewer
        than 5 people are left out; where fewer than two are left, ``note`` says so and there are
        no numbers.
    """
    people = tabulate_people(join_scans(scores, index))
    components = component_names(people)
    records = []
    for name in SIDES:
        mine = people[people["side"] == name]
        for column in GROUPINGS:
            found = _separate(mine[components].to_numpy(float), mine[column], column, seed)
            records.append({"column": column, "split": name, **found})
    return pd.DataFrame(records, columns=SEPARATION_COLUMNS).round(6)


def _separate(points: np.ndarray, groups: pd.Series, column: str, seed: int) -> dict[str, object]:
    """Silhouette of groups (one a point) with its p-value, or the reason why there is none."""
    if not groups.notna().any():
        return {"people": 0, "groups": 0, "note": f"nobody has one value of {column}"}
    groups = groups.where(_drawn(groups.notna().to_numpy(), seed))
    counts = groups.value_counts()
    small = sorted(counts.index[counts < FEWEST])
    notes = [f"left out, fewer than {FEWEST} people each: {', '.join(small)}"] if small else []
    kept = (groups.notna() & ~groups.isin(small)).to_numpy()
    numbers: dict[str, float] = {"people": int(kept.sum()), "groups": len(counts) - len(small)}
    if points.shape[1] == 0:
        notes.insert(0, "the latents have no components")
    elif numbers["groups"] < 2:
        notes.insert(0, f"expected two groups of {FEWEST} people, found {numbers['groups']}")
    else:
        silhouette, p_value = permuted_silhouette(points[kept], groups[kept].to_numpy(str), seed)
        numbers |= {"silhouette": silhouette, "p_value": p_value, "components": points.shape[1]}
    return {**numbers, "note": "; ".join(notes) or None}


def _drawn(kept: np.ndarray, seed: int) -> np.ndarray:
    """Keep at most ``MOST`` of the people."""
    rows = np.flatnonzero(kept)
    if len(rows) > MOST:
        rows = np.random.default_rng(seed).choice(rows, MOST, replace=False)
    return np.isin(np.arange(len(kept)), rows)


def permuted_silhouette(
    points: np.ndarray, groups: np.ndarray, seed: int, permutations: int = PERMUTATIONS
) -> tuple[float, float]:
    """Silhouette of groups and the share of shuffles, itself among them, that reach it.

    Parameters
    ----------
    points
        One person each, float (N, K).
    groups
        Text (N,), at least two groups.
    """
    distances = pairwise_distances(points)
    member = (groups[:, None] == np.unique(groups)).astype(float)  # (N, G)

    def silhouette(order: np.ndarray) -> float:
        return mean_silhouette(distances, member[order])

    return permutation_test(silhouette, len(points), permutations, seed)


def mean_silhouette(distances: np.ndarray, member: np.ndarray) -> float:
    """Mean silhouette, as scikit-learn's, whose checks would take 99 % of the time of a shuffle.

    Parameters
    ----------
    distances
        Between people, float (N, N).
    member
        1 where a person belongs to a group, float (N, G); at least two people a group.
    """
    sums, sizes = distances @ member, member.sum(axis=0)
    own = (sums * member).sum(axis=1) / (member @ sizes - 1)
    nearest = np.where(member > 0, np.inf, sums / sizes).min(axis=1)
    larger = np.maximum(own, nearest)
    return float(np.mean((nearest - own) / np.where(larger > 0, larger, 1)))
