"""A tiny cohort, written once for all tests of the simulation."""

import pytest

from brainlapse.simulation.dataset import write_dataset
from brainlapse.simulation.settings import SimulationSettings


@pytest.fixture(scope="session")
def settings():
    """Four subjects, two sessions, 4 mm: seconds."""
    return SimulationSettings(subjects=4, sessions=2, years_between_sessions=3.0, voxel_mm=4.0)


@pytest.fixture(scope="session")
def cohort(settings, tmp_path_factory):
    """The folder of the tiny cohort."""
    folder = tmp_path_factory.mktemp("simulated")
    write_dataset(settings, seed=3, folder=folder)
    return folder
