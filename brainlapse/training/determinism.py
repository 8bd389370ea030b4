"""Randomness as a function of seed and position, so that a resumed run draws the same numbers."""

import hashlib
import random

import numpy as np
import torch


def seed_for(seed: int, *position: int | str) -> int:
    """Derive an independent 63-bit seed for a place in the run, such as ("step", 12)."""
    text = repr((seed, *position)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def seed_everything(seed: int, *position: int | str) -> None:
    """Seed Python, NumPy and torch (all devices) for a place in the run.

    Called before every step: what a step draws then depends on seed and step alone, and the
    step number in a checkpoint stands for the state of every random generator.
    """
    derived = seed_for(seed, *position)
    random.seed(derived)
    np.random.seed(derived % 2**32)  # noqa: NPY002  libraries may draw from it
    torch.manual_seed(derived)


def require_determinism() -> None:
    """Let torch take algorithms that repeat; on the GPU some operations have none and only warn."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
