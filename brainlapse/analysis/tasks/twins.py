"""One person under two names: latents so alike that they can only be one image twice."""

from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.metrics.pairwise import euclidean_distances

from brainlapse.analysis.tasks.folds import TaskScans

ALIKE = 0.1
"""Distance below which two people are one [part of the usual distance between neighbours]."""

NEIGHBOUR = 5
"""Which neighbour the usual distance is to: copies are nearer, and people of one site are not
measured by their distance to another site."""


def merge_twins(latents: np.ndarray, scans: TaskScans) -> tuple[TaskScans, str]:
    """Make one person of people with nearly the same latents, so that no fold parts them.

    The cohort's check rejects one image under two names; this finds the image that was saved
    anew, with other values, for which a model would need to know no more than the face.

    Parameters
    ----------
    latents : np.ndarray
        Latents of the task's scans, float (N, P).
    scans : TaskScans
        Their targets and people.

    Returns
    -------
    scans : TaskScans
        With the people joined.
    note : str
        Who was; empty if nobody.
    """
    people, member = np.unique(scans.groups, return_inverse=True)
    if min(len(people) - 1, latents.shape[1]) <= NEIGHBOUR:  # strangers meet in few dimensions
        return scans, ""
    distance = _distances_of_people(latents, member)
    alike = np.triu(distance < ALIKE * _usual_distance(distance), 1)
    pairs = np.argwhere(alike)
    if not len(pairs):
        return scans, ""
    _, joined = connected_components(alike, directed=False)
    _, first = np.unique(joined, return_index=True)
    shown = ", ".join(f"{people[a]} and {people[b]}" for a, b in pairs[:3])
    note = (
        f"nearly the same latents under different names, counted as one person: {shown}"
        f"{f' and {len(pairs) - 3} pairs more' if len(pairs) > 3 else ''}"
    )
    return replace(scans, groups=people[first[joined[member]]]), note


def _distances_of_people(latents: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Distances (M, M) of the nearest scans of two people, 0 on the diagonal.

    `member` is the person of each scan, int (N,), 0 to M - 1.
    """
    order = np.argsort(member, kind="stable")
    starts = np.flatnonzero(np.diff(member[order], prepend=-1))
    of_scans = euclidean_distances(latents[order])
    return np.minimum.reduceat(np.minimum.reduceat(of_scans, starts), starts, axis=1)


def _usual_distance(distance: np.ndarray) -> float:
    """Median over people of the distance to a near, but not the nearest, other person."""
    return float(np.median(np.sort(distance, axis=1)[:, NEIGHBOUR]))
