"""What the likelihood needs of the data: a few sums per person, once per design and block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from brainlapse.aging.mixed.design import Design
from brainlapse.aging.mixed.walk import residual_covariance
from brainlapse.aging.people import Person


@dataclass(frozen=True)
class Layout:
    """The side of the design: sums over each person's scans, weighted by 1 / residuals (R).

    Attributes
    ----------
    gram
        X'R^-1 X of the random effects X = (1, t): 00, 01, 11; (3, N, 1).
    cross
        X'R^-1 F of the fixed effects F, (2, N, q).
    outer
        Upper triangles of the outer products of the columns of `cross`, as they are needed for
        a symmetric matrix between them: (3, q (q + 1) / 2, N).
    fixed
        Sum of F'R^-1 F, (q, q).
    weights
        Rows of X'R^-1, level of all people before rate of all people, sparse (2 N, scans).
    white_fixed
        R^-1/2 F, (scans, q).
    whitener
        R^-1/2, sparse (scans, scans).
    person_log_det
        log det R of each person, (N,).
    """

    gram: np.ndarray
    cross: np.ndarray
    outer: np.ndarray
    fixed: np.ndarray
    weights: sparse.csr_array
    white_fixed: np.ndarray
    whitener: sparse.csr_array
    person_log_det: np.ndarray

    @property
    def n_people(self) -> int:
        """Number of people, N."""
        return self.gram.shape[1]

    @property
    def n_scans(self) -> int:
        """Number of scans of all people."""
        return self.whitener.shape[0]


@dataclass(frozen=True)
class Sums:
    """The side of the values, for a block of b elements.

    Attributes
    ----------
    random
        X'R^-1 y, (2, N, b).
    fixed
        Sum of F'R^-1 y, (q, b).
    squares
        Sum of y'R^-1 y, (b,).
    """

    random: np.ndarray
    fixed: np.ndarray
    squares: np.ndarray


def lay_out(people: Sequence[Person], design: Design, walk_ratio: float) -> Layout:
    """Sum up the design of people, with residuals of a walk of the given ratio."""
    fixed_parts, random_parts, whiteners, log_det = [], [], [], []
    for person in people:
        time = person.ages_years - person.ages_years[0]
        root = linalg.cholesky(residual_covariance(time, walk_ratio), lower=True)
        whitener = linalg.solve_triangular(root, np.eye(len(time)), lower=True)
        log_det.append(2 * np.log(np.diag(root)).sum())
        random_parts.append(whitener @ np.column_stack([np.ones_like(time), time]))
        fixed_parts.append(whitener @ design.rows(person, person.ages_years))
        whiteners.append(whitener)
    white = sparse.csr_array(sparse.block_diag(whiteners))
    blocks = [sparse.block_diag([part[:, [c]].T for part in random_parts]) for c in (0, 1)]
    random = np.array([part.T @ part for part in random_parts])  # (N, 2, 2)
    cross = np.array([x.T @ f for x, f in zip(random_parts, fixed_parts, strict=True)])
    all_fixed = np.concatenate(fixed_parts)
    return Layout(
        gram=np.stack([random[:, 0, 0], random[:, 0, 1], random[:, 1, 1]])[:, :, None],
        cross=np.moveaxis(cross, 1, 0),
        outer=_outer(cross[:, 0], cross[:, 1]),
        fixed=all_fixed.T @ all_fixed,
        weights=sparse.csr_array(sparse.vstack(blocks) @ white),
        white_fixed=all_fixed,
        whitener=white,
        person_log_det=np.array(log_det),
    )


def _outer(level: np.ndarray, rate: np.ndarray) -> np.ndarray:
    rows, columns = np.triu_indices(level.shape[1])
    mixed = level[:, rows] * rate[:, columns] + rate[:, rows] * level[:, columns]
    parts = [level[:, rows] * level[:, columns], mixed, rate[:, rows] * rate[:, columns]]
    return np.ascontiguousarray([part.T for part in parts])


def sum_up(layout: Layout, values: np.ndarray) -> Sums:
    """Sum up the values of a block, (scans, b), in the order of the people of the layout."""
    values = values.astype(np.float64)
    white = layout.whitener @ values
    return Sums(
        random=(layout.weights @ values).reshape(2, layout.n_people, -1),
        fixed=layout.white_fixed.T @ white,
        squares=(white**2).sum(axis=0),
    )


def stack_values(people: Sequence[Person], block: slice = slice(None)) -> np.ndarray:
    """Put the values of people under each other, (scans, b)."""
    return np.concatenate([person.values[:, block] for person in people])
