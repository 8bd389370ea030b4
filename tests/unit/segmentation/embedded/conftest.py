"""Log of the embedded network, for its tests."""

import logging

import pytest


@pytest.fixture
def messages(caplog):
    """What was said, from remarks on."""
    caplog.set_level(logging.INFO, logger="brainlapse")
    return caplog
