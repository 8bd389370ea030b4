"""How far two volumes, or two masks, agree."""

import numpy as np


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two bool masks, 2 |A and B| / (|A| + |B|), 0 if empty."""
    total = int(first.sum()) + int(second.sum())
    return 2.0 * int((first & second).sum()) / total if total else 0.0


def correlation(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Return Pearson's correlation of two volumes inside a mask; 0 if one is constant."""
    a = first[mask] - first[mask].mean(dtype=float)
    b = second[mask] - second[mask].mean(dtype=float)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0
