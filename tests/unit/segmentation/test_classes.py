"""The 32 structures and the classes with sides that the network knows: nothing is lost."""

import numpy as np
import torch

from brainlapse.segmentation.classes import (
    CLASS_LABELS,
    CLASSES,
    MIRRORED,
    PAIRED,
    class_table,
    right_table,
)
from brainlapse.segmentation.embedded.posteriors import label_classes
from brainlapse.segmentation.labels import LABEL_IDS, STRUCTURES

FREESURFER_PAIRS = {
    2: 41, 3: 42, 4: 43, 5: 44, 7: 46, 8: 47, 10: 49, 11: 50, 12: 51, 13: 52, 17: 53, 18: 54,
    26: 58, 28: 60,
}  # fmt: skip


def test_pairs_are_freesurfers():
    assert MIRRORED == FREESURFER_PAIRS


def test_fourteen_pairs_four_single_structures_and_the_background():
    assert CLASSES == 19
    assert PAIRED.sum() == 14
    single = {label for label, paired in zip(CLASS_LABELS, PAIRED, strict=True) if not paired}
    assert single == {0, 14, 15, 16, 24}


def test_every_label_survives_the_way_to_classes_and_back():
    labels = np.array(sorted(LABEL_IDS))
    classes, right = class_table()[labels], right_table()[labels]
    assert np.array_equal(
        label_classes(torch.from_numpy(classes).long(), torch.from_numpy(right)), labels
    )
    assert set(classes.tolist()) == set(range(CLASSES))
    assert right.sum() == 14


def test_ids_of_no_structure_are_background_without_side():
    others = np.array(sorted(set(range(1024)) - set(STRUCTURES.values())))
    assert not class_table()[others].any()
    assert not right_table()[others].any()


def test_a_side_changes_nothing_on_structures_without_one():
    classes = torch.from_numpy(np.flatnonzero(~PAIRED))
    left, right = (
        label_classes(classes, torch.full(classes.shape, side)) for side in (False, True)
    )
    assert torch.equal(left, right)
