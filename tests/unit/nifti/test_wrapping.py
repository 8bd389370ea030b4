"""Integers that ran over: brought back exactly; images that merely look alike are left alone."""

import numpy as np
import pytest

from brainlapse.nifti.wrapping import unwrap

EDGE = 48


def head(noise=0.004, seed=0):
    """A bright shell (fat) around grey and white shells, smooth edges, air with noise above 0."""
    index = np.indices((EDGE, EDGE, EDGE)) - (EDGE - 1) / 2
    radius = np.sqrt((index**2).sum(0)) / (EDGE / 2)
    knots = [0, 0.45, 0.5, 0.7, 0.74, 0.8, 0.84, 0.9, 0.95, 2]
    values = [0.62, 0.62, 0.45, 0.45, 0.12, 0.12, 1, 1, 0, 0]
    volume = np.interp(radius, knots, values)
    return volume + np.abs(np.random.default_rng(seed).normal(0, noise, volume.shape))


def ran_over(volume, bits, brightest):
    """As unsigned integers whose brightest voxel is `brightest` half ranges, and as stored."""
    half = 2 ** (bits - 1)
    unsigned = np.clip(np.round(volume / volume.max() * brightest * half), 0, 2 * half - 1)
    return unsigned, np.where(unsigned >= half, unsigned - 2 * half, unsigned).astype(np.float32)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("brightest", [1.1, 1.4, 1.9])
def test_values_come_back(bits, brightest):
    unsigned, stored = ran_over(head(), bits, brightest)
    found, note = unwrap(stored)
    np.testing.assert_array_equal(found, unsigned)
    assert f"brighter than {2 ** (bits - 1) - 1} were stored as negative" in note


def test_noise_below_0_stays_below_0():
    unsigned, _ = ran_over(head(), 16, 1.9)
    unsigned += np.round(np.random.default_rng(1).normal(0, 60, unsigned.shape))
    stored = np.where(unsigned >= 2**15, unsigned - 2**16, unsigned).astype(np.float32)
    found, _ = unwrap(stored)
    assert (found != unsigned).mean() < 1e-3
    assert (found < 0).sum() > 0.99 * (unsigned < 0).sum()


def alike(name):
    volume = head()
    full = volume / volume.max()
    rng = np.random.default_rng(2)
    return {
        "air at the lowest number": full * 65535 - 32768,
        "air at -1024 of 12 bits": full * 3000 - 1024,
        "scores around 0": np.clip((full - 0.4) / 0.6, -1, 1) * 32767,
        "scores within a mask": np.where(full > 0.1, np.clip((full - 0.5) * 2, -1, 1), 0) * 32767,
        "ringing": full * 32000 + rng.normal(0, 900, full.shape),
        "dead voxels": np.where(rng.random(full.shape) < 1e-3, -32768, full * 32700),
        "padding": np.where(np.indices(full.shape)[0] < 8, -32768, full * 32700),
        "nothing below 0": full * 65535,
        "small numbers": full * 100 - 20,
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "air at the lowest number", "air at -1024 of 12 bits", "scores around 0",
        "scores within a mask", "ringing", "dead voxels", "padding", "nothing below 0",
        "small numbers",
    ],
)  # fmt: skip
def test_what_looks_alike_is_left_alone(name):
    stored = np.round(alike(name)).astype(np.float32)
    found, note = unwrap(stored)
    assert note is None
    assert found is stored
