import pytest

from brainlapse.config import load_config
from brainlapse.configuration.judges import shared_judges

TEACHER = "learned from the features"
CHOSEN = "were selected by volumes"
TRUTH = "true regions of"
QUIET = {"loss": {"perceptual": {"network": "none"}}}


def load(models, datasets=None, **rest):
    datasets = datasets or {"d": {"simulate": {"subjects": 4}, "role": "fit"}}
    return load_config({"datasets": datasets, "autoencoders": models, **rest}, look=False)


@pytest.mark.parametrize(
    ("models", "rest", "expected"),
    [
        ({"a": QUIET}, {}, {TRUTH}),
        ({"a": {}}, {}, {TEACHER, TRUTH}),
        ({"a": QUIET, "b": {**QUIET, "training": {"selection": "volumes"}}}, {}, {CHOSEN, TRUTH}),
        ({"a": {"network": {"family": "pca"}}}, {}, {TRUTH}),
        ({"a": {}}, {"segmentation": {"backend": "native", "binary": "sh"}}, set()),
    ],
)
def test_every_place_where_two_roles_meet_is_said(models, rest, expected):
    found = shared_judges(load(models, **rest))
    assert len(found) == len(expected)
    for words in expected:
        assert any(words in sentence for sentence in found), words


def test_real_scans_have_no_planted_truth():
    real = {"ixi": {"bids": "/data/ixi", "role": "fit"}}
    assert shared_judges(load({"a": QUIET}, real)) == []


def test_other_weights_are_another_judge():
    config = load({"a": {}})
    config["segmentation"]["weights"] = "other.safetensors"
    assert shared_judges(config) == []
