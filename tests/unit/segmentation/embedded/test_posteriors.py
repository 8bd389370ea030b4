"""Volumes, labels and clean-up of posteriors in which everything is planted."""

import numpy as np
import pytest

from brainlapse.segmentation.classes import CLASS_LABELS, CLASSES, MIRRORED, PAIRED
from brainlapse.segmentation.embedded.posteriors import (
    COMPACT,
    clean,
    largest_piece,
    structure_volumes,
)
from brainlapse.segmentation.labels import STRUCTURES
from tests.unit.segmentation.planted import CLASS_OF, posteriors_of, volumes_of

SHAPE = (12, 10, 8)
WHITE, CORTEX, THALAMUS, STEM = (CLASS_OF[label] for label in (2, 3, 10, 16))


class Planted:
    """Arrays to plant in; `posteriors` are made of them when everything is planted."""

    def __init__(self, shares, right):
        self.shares, self.right = shares, right

    @property
    def posteriors(self):
        return posteriors_of(self.shares, self.right)

    def labels(self):
        return self.posteriors.labels()


def blank():
    """White matter everywhere, left of the middle plane and right of it; cortex comes second."""
    shares = np.zeros((CLASSES, *SHAPE), dtype=np.float32)
    shares[WHITE], shares[CORTEX] = 0.7, 0.3
    right = np.zeros(SHAPE, dtype=np.float32)
    right[6:] = 1
    return Planted(shares, right)


def put(posteriors, number, box, share=0.6, second=CORTEX):
    """Let a class lead in a box, before a second one."""
    posteriors.shares[(slice(None), *box)] = 0
    posteriors.shares[(number, *box)] = share
    posteriors.shares[(second, *box)] = 1 - share


def box(x, y, z):
    return slice(*x), slice(*y), slice(*z)


def test_soft_volumes_are_the_planted_ones():
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(CLASSES), SHAPE).transpose(3, 0, 1, 2).astype(np.float32)
    right = random.random(SHAPE).astype(np.float32)
    volumes = structure_volumes(posteriors_of(shares, right), voxel_mm3=8.0)
    assert list(volumes) == list(STRUCTURES)
    by_label = {label: volumes[name] for name, label in STRUCTURES.items()}
    for number, label in enumerate(CLASS_LABELS[1:], start=1):
        total = 8.0 * sum(shares[number].astype(float).ravel())
        if PAIRED[number]:
            on_right = 8.0 * float(np.vdot(shares[number].astype(float), right.astype(float)))
            assert by_label[MIRRORED[label]] == pytest.approx(on_right, rel=1e-5)
            assert by_label[label] == pytest.approx(total - on_right, rel=1e-5)
        else:
            assert by_label[label] == pytest.approx(total, rel=1e-5)
    brain = 8.0 * (1 - shares[0].astype(float)).sum()
    assert sum(volumes.values()) == pytest.approx(brain, rel=1e-5)


def test_a_quarter_on_the_right_counts_as_a_quarter():
    posteriors = blank()
    posteriors.shares[:] = 0
    posteriors.shares[CLASS_OF[17]] = 0.5
    posteriors.right[:] = 0.25
    volumes = structure_volumes(posteriors.posteriors, voxel_mm3=2.0)
    voxels = np.prod(SHAPE)
    assert volumes["left hippocampus"] == pytest.approx(0.75 * voxels)
    assert volumes["right hippocampus"] == pytest.approx(0.25 * voxels)
    assert volumes["left amygdala"] == 0


def test_labels_are_those_of_the_leading_class_and_side():
    posteriors = blank()
    put(posteriors, THALAMUS, box((2, 4), (2, 4), (2, 4)))
    put(posteriors, STEM, box((5, 7), (6, 8), (2, 4)))
    labels = posteriors.labels()
    assert labels.dtype == np.uint8
    assert (labels[2:4, 2:4, 2:4] == 10).all()
    assert (labels[5:7, 6:8, 2:4] == 16).all()  # across the middle: no side
    assert labels[0, 0, 0] == 2
    assert labels[-1, 0, 0] == 41


def test_an_island_goes_to_the_second_class():
    posteriors = blank()
    put(posteriors, THALAMUS, box((1, 5), (1, 5), (1, 5)))
    island = box((3, 4), (8, 9), (6, 7))
    put(posteriors, THALAMUS, island)
    assert (posteriors.labels()[island] == 10).all()
    given = posteriors.posteriors
    cleaned = clean(given)
    assert cleaned is given  # in place
    expected = posteriors.labels()
    expected[island] = 3
    assert np.array_equal(cleaned.labels(), expected)
    assert cleaned.rows[..., :CLASSES].sum(dim=-1).numpy().ravel() == pytest.approx(
        np.ones(np.prod(SHAPE)), abs=1e-6
    )


def test_each_side_keeps_its_largest_piece():
    posteriors = blank()
    left, right = box((1, 4), (1, 4), (1, 4)), box((9, 11), (6, 8), (4, 6))
    island = box((9, 10), (1, 2), (1, 2))
    for place in (left, right, island):
        put(posteriors, THALAMUS, place)
    labels = clean(posteriors.posteriors).labels()
    assert (labels == 10).sum() == 27
    assert (labels[left] == 10).all()
    assert (labels == 49).sum() == 8
    assert (labels[right] == 49).all()
    assert (labels[island] == 42).all()


def test_ventricle_and_its_horn_are_one_piece():
    posteriors = blank()
    put(posteriors, CLASS_OF[4], box((1, 4), (1, 4), (1, 4)))
    put(posteriors, CLASS_OF[5], box((1, 4), (4, 5), (1, 2)))  # touches
    put(posteriors, CLASS_OF[5], box((1, 2), (8, 9), (6, 7)))  # lies apart
    labels = clean(posteriors.posteriors).labels()
    assert (labels == 4).sum() == 27
    assert (labels == 5).sum() == 3


def test_islands_of_cortex_and_fluid_are_left_alone():
    posteriors = blank()
    for label, start in ((3, 1), (24, 3)):
        for place in (1, 5):
            put(posteriors, CLASS_OF[label], box((start, start + 1), (place, place + 1), (1, 2)),
                second=THALAMUS)  # fmt: skip
    assert np.array_equal(clean(posteriors.posteriors).labels(), posteriors.labels())
    assert not {3, 24, 0} & {label for group in COMPACT for label in group}


def test_pieces_beside_the_brain_become_background():
    posteriors = blank()
    posteriors.shares[:, :, 7:9] = 0
    posteriors.shares[0, :, 7:9] = 1  # a gap; y = 9 lies beyond it
    cleaned = clean(posteriors.posteriors)
    labels = cleaned.labels()
    assert not labels[:, 7:].any()
    assert (labels[:, :7] > 0).all()
    assert volumes_of(cleaned)[0][1:, :, 9].max() == 0


def test_an_island_of_certainty_becomes_background():
    posteriors = blank()
    put(posteriors, THALAMUS, box((1, 4), (1, 4), (1, 4)))
    island = box((3, 4), (8, 9), (6, 7))
    put(posteriors, THALAMUS, island, share=1.0)
    cleaned = clean(posteriors.posteriors)
    assert (cleaned.labels()[island] == 0).all()
    assert np.isfinite(cleaned.rows.numpy()).all()


def test_largest_piece_by_faces():
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[0:2, 0:2, 0:2] = True  # 8 voxels
    mask[2:4, 2:4, 2:5] = True  # 12 voxels, touch the first by a corner only
    mask[5, 0, 0] = True
    expected = np.zeros_like(mask)
    expected[2:4, 2:4, 2:5] = True
    assert np.array_equal(largest_piece(mask), expected)
    assert not largest_piece(np.zeros_like(mask)).any()
