"""The loss against plain reference implementations, and its ends."""

import math

import numpy as np
import pytest
import torch

from brainlapse.segmentation.classes import CLASSES, PAIRED
from brainlapse.segmenter.objective import dice_scores, segmentation_terms

SIDED, UNSIDED = int(np.flatnonzero(PAIRED)[2]), int(np.flatnonzero(~PAIRED)[2])


def drawn(blocks=40):
    generator = torch.Generator().manual_seed(1)
    logits = 2 * torch.randn((blocks, 8, CLASSES + 1), generator=generator)
    classes = torch.randint(0, CLASSES - 2, (blocks, 8), generator=generator)  # two are absent
    right = torch.rand((blocks, 8), generator=generator) < 0.5
    return logits, classes, right


def reference_terms(logits, classes, right):
    """The same terms, voxel by voxel, in double precision."""
    flat = logits.double().numpy().reshape(-1, CLASSES + 1)
    truth, sides = classes.numpy().ravel(), right.numpy().ravel()
    cross, side = [], []
    overlap, size = np.zeros(CLASSES), np.zeros(CLASSES)
    for row, number, on_right in zip(flat, truth, sides, strict=True):
        shares = np.exp(row[:CLASSES]) / np.exp(row[:CLASSES]).sum()
        cross.append(-math.log(shares[number]))
        overlap[number] += shares[number]
        size += shares
        size[number] += 1
        if PAIRED[number]:
            probability = 1 / (1 + math.exp(-row[CLASSES]))
            side.append(-math.log(probability if on_right else 1 - probability))
    there = sorted(set(truth.tolist()))
    dice = [2 * overlap[number] / size[number] for number in there]
    return {"cross_entropy": np.mean(cross), "dice": 1 - np.mean(dice), "side": np.mean(side)}


def test_terms_equal_the_reference():
    logits, classes, right = drawn()
    terms = segmentation_terms(logits, classes, right)
    expected = reference_terms(logits, classes, right)
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-4), name
        assert terms[name].shape == ()


def perfect(classes, right):
    logits = torch.full((*classes.shape, CLASSES + 1), -30.0)
    logits.scatter_(2, classes[..., None], 30.0)
    logits[..., CLASSES] = torch.where(right, 30.0, -30.0)
    return logits


def test_perfect_logits_cost_nothing_and_opposite_ones_much():
    _, classes, right = drawn()
    for term in segmentation_terms(perfect(classes, right), classes, right).values():
        assert abs(term.item()) < 1e-4
    wrong = perfect((classes + 1) % CLASSES, ~right)
    terms = segmentation_terms(wrong, classes, right)
    assert terms["dice"].item() > 0.99
    assert terms["cross_entropy"].item() == pytest.approx(60, rel=1e-3)
    assert terms["side"].item() == pytest.approx(30, rel=1e-3)


def test_guessing_costs_the_logarithm_of_the_classes():
    _, classes, right = drawn()
    terms = segmentation_terms(torch.zeros((*classes.shape, CLASSES + 1)), classes, right)
    assert terms["cross_entropy"].item() == pytest.approx(math.log(CLASSES), rel=1e-5)
    assert terms["side"].item() == pytest.approx(math.log(2), rel=1e-5)


def test_sides_of_single_structures_are_not_learned():
    classes = torch.tensor([[SIDED] * 4 + [UNSIDED] * 4])
    right = torch.tensor([[True] * 4 + [True, False] * 2])
    logits = torch.zeros((1, 8, CLASSES + 1), requires_grad=True)
    segmentation_terms(logits, classes, right)["side"].backward()
    gradient = logits.grad[0, :, CLASSES]
    assert (gradient[:4] < 0).all()  # towards the right
    assert (gradient[4:] == 0).all()


def test_a_patch_without_sided_structures_has_a_finite_loss():
    classes = torch.full((2, 8), UNSIDED)
    logits = torch.zeros((2, 8, CLASSES + 1), requires_grad=True)
    terms = segmentation_terms(logits, classes, torch.zeros((2, 8), dtype=torch.bool))
    assert terms["side"].item() == 0
    sum(terms.values()).backward()
    assert torch.isfinite(logits.grad).all()


def test_dice_scores_equal_counted_sets():
    generator = torch.Generator().manual_seed(3)
    found = torch.randint(0, 5, (6, 7, 8), generator=generator)
    truth = torch.where(torch.rand((6, 7, 8), generator=generator) < 0.6, found, 2)
    found[found == 4] = 3  # 4 may be in the truth alone
    scores = dice_scores(found, truth, 7)
    assert scores.shape == (7,)
    for number in range(7):
        one = set(torch.nonzero(found.flatten() == number).flatten().tolist())
        two = set(torch.nonzero(truth.flatten() == number).flatten().tolist())
        if one or two:
            assert scores[number].item() == pytest.approx(
                2 * len(one & two) / (len(one) + len(two))
            )
        else:
            assert torch.isnan(scores[number])
    assert scores[4] == 0
    assert torch.isnan(scores[5:]).all()
    assert dice_scores(truth, truth, 5).tolist() == pytest.approx([1.0] * 5)


def test_a_patch_beside_the_brain_teaches_nothing():
    logits = torch.zeros((0, 8, CLASSES + 1), requires_grad=True)
    terms = segmentation_terms(
        logits, torch.zeros((0, 8), dtype=torch.int64), torch.zeros((0, 8), dtype=torch.bool)
    )
    assert [float(term) for term in terms.values()] == [0, 0, 0]
    torch.stack(list(terms.values())).sum().backward()
