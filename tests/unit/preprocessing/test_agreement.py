import numpy as np
import pytest

from brainlapse.preprocessing.agreement import correlation, dice


def ball(radius):
    places = np.indices((40, 40, 40)) - 20
    return (places**2).sum(axis=0) < radius**2


def test_dice_and_correlation():
    first, second = ball(15), ball(10)
    assert dice(first, first) == 1
    assert dice(first, second) == pytest.approx(2 * second.sum() / (first.sum() + second.sum()))
    assert dice(first & False, second & False) == 0
    noise = np.random.default_rng(0).random(first.shape)
    assert correlation(noise, 3 * noise + 2, first) == pytest.approx(1)
    assert correlation(noise, np.ones_like(noise), first) == 0
