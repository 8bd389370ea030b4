"""What tests of several rooms need."""

import multiprocessing
import os

import pytest

NOBODY = 65534  # a user without rights


@pytest.fixture
def as_anybody(tmp_path):
    """Call a function as a user without rights on closed files; the tests may run as root."""
    if os.geteuid() != 0:
        return lambda function, *arguments: function(*arguments)

    def call(function, *arguments):
        for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
            folder.chmod(0o755)
        with multiprocessing.get_context("fork").Pool(1, os.setuid, (NOBODY,)) as pool:
            return pool.apply(function, arguments)

    return call
