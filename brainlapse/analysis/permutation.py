"""A permutation test: how often another order of people does as well."""

from collections.abc import Callable

import numpy as np


def permutation_test(
    value: Callable[[np.ndarray], float], size: int, permutations: int, seed: int
) -> tuple[float, float]:
    """Return the value of the true order, and the share of orders, it among them, that reach it.

    Parameters
    ----------
    value
        Of an order of the people, int (size,).
    """
    generator = np.random.default_rng(seed)
    found = value(np.arange(size))
    draws = [value(generator.permutation(size)) for _ in range(permutations)]
    reached = int(np.sum(np.asarray(draws) >= found - 1e-12))
    return found, (1 + reached) / (1 + permutations)
