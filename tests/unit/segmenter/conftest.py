"""One made head, a small part of MNI space, one thread."""

import pytest
import torch

from brainlapse.segmenter import deformation, loop, synthesis
from tests.unit.segmenter.heads import SMALL, make_anatomy


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def small_grid(monkeypatch):
    """Draw and train in the middle of the brain only."""
    for module in (deformation, synthesis, loop):
        monkeypatch.setattr(module, "GRID", SMALL)
        monkeypatch.setattr(module, "SHAPE", SMALL.shape)


@pytest.fixture(scope="session")
def anatomy():
    """The made head."""
    return make_anatomy()
