"""Labels as heads take them, what they see of a latent, and settings that are refused."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from brainlapse.config import ConfigError, load_config
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.training.heads.labels import read_labels
from brainlapse.training.heads.network import LinearHeads
from brainlapse.training.heads.pooling import averaging_tables, pool_latents
from brainlapse.training.settings import AutoencoderSettings

NAMES = [f"d/s{n}" for n in range(6)]


def classes_of(*coded, task="sex"):
    return [
        ["d", f"s{n}", task, "classification", "ab"[k], k]
        for n, k in enumerate(coded)
        if k is not None
    ]


def test_classes_weigh_the_same_and_missing_labels_nothing():
    (labels,) = read_labels(classes_of(0, 0, None, 1, 0, None), NAMES)
    assert labels.classes == ("a", "b")
    assert labels.weights[[2, 5]].tolist() == [0, 0]
    sums = [labels.weights[[0, 1, 4]].sum(), labels.weights[3]]
    assert sums == pytest.approx([3, 3])  # together 1 per scan
    np.testing.assert_array_equal(labels.targets, [0, 0, 0, 1, 0, 0])


def test_numbers_are_standardised_by_those_that_there_are():
    rows = [["d", f"s{n}", "age", "regression", a, a] for n, a in ((1, 40.0), (3, 60.0))]
    (labels,) = read_labels(rows, NAMES)
    assert (labels.mean, labels.sd) == (50, 10)
    np.testing.assert_allclose(labels.targets, [0, -1, 0, 1, 0, 0])
    np.testing.assert_allclose(labels.weights, [0, 3, 0, 3, 0, 0])


def test_a_class_read_as_a_number_keeps_its_name():
    rows = [["d", "s0", "t", "classification", 1.0, 0], ["d", "s1", "t", "classification", 2.0, 1]]
    assert read_labels(rows, NAMES)[0].classes == ("1", "2")


@pytest.mark.parametrize("shape", [(3, 8, 10, 5), (4, 2, 3, 2), (128, 1, 1, 1)])
def test_heads_and_their_judge_see_the_same(shape):
    mean = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    heads = LinearHeads(read_labels(classes_of(0, 1, 0, 1, 0, 1), NAMES), shape)
    features = pool_latents(mean)
    np.testing.assert_allclose(heads.pool(torch.from_numpy(mean)), features, atol=1e-5)
    cells = [min(4, size) for size in shape[1:]]
    assert features.shape == (3, shape[0] * np.prod(cells))


def test_cells_share_an_axis_evenly():
    for table in averaging_tables((8, 10, 5)):
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(table.sum(axis=0), table.sum(axis=0)[0], rtol=1e-6)


@pytest.mark.parametrize("name", ["type", "train", "keys", "a-b"])
def test_any_name_of_a_task_will_do(name):
    heads = LinearHeads(read_labels(classes_of(0, 1, task=name), NAMES), (4, 2, 2, 2))
    assert set(heads.losses(torch.zeros(1, 4, 2, 2, 2), [0])) == {name}


@pytest.mark.parametrize("family", ["kl", "pca"])
def test_other_families_are_refused_in_a_sentence(family):
    with pytest.raises(ValidationError, match=f"heads: are trained with .*, not with {family}"):
        AutoencoderSettings.model_validate(
            {"network": {"family": family}, "heads": {"tasks": ["sex"]}}
        )


def refusal(**model):
    raw = {
        "datasets": {"d": {"simulate": {}}},
        "autoencoders": {"m": model},
        "tasks": [{"name": "sex", "target": "sex", "kind": "classification"}],
    }
    with pytest.raises(ConfigError) as refused:
        load_config(raw)
    return str(refused.value)


def test_unknown_and_repeated_tasks_are_refused():
    words = "autoencoders.m.heads.tasks: expected some of tasks (sex), found 'age'"
    assert words in refusal(heads={"tasks": ["age"]})
    assert "expected each task once" in refusal(heads={"tasks": ["sex", "sex"]})
    assert "autoencoders.m.heads" in refusal(heads={"tasks": []})


def test_bundles_and_synthetic_brains_take_no_heads():
    assert "autoencoders.m.heads: a model from a bundle" in refusal(
        bundle="there.zip", heads={"tasks": ["sex"]}
    )
    with pytest.raises(ValidationError, match="synthetic brains have no labels"):
        PretrainingSettings.model_validate({"autoencoder": {"heads": {"tasks": ["sex"]}}})
