"""The linear baseline against scikit-learn, least squares and planted components."""

import dataclasses
import logging

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from brainlapse.training import principal
from brainlapse.training.data.scans import ScanSet, TrainingData, to_batch
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings

CPU = torch.device("cpu")


def linear(latent_size):
    network = {"family": "pca", "latent_size": latent_size}
    return AutoencoderSettings.model_validate({"network": network})


def fit(data, folder, latent_size=512):
    resume = ResumeFolder(folder, "model", {}, 60)
    return principal.fit(linear(latent_size), data, resume)


def as_rows(volumes):
    return volumes.reshape(len(volumes), -1).astype(np.float64)


@pytest.mark.parametrize("block_bytes", [8 * 5 * 7, 2**28])  # blocks of 7 voxels, and one block
def test_components_are_those_of_scikit_learn(data, block_bytes):
    volumes = data.train.volumes
    found = principal.principal_components(volumes, 3, block_bytes)
    reference = PCA(n_components=3, svd_solver="full").fit(as_rows(volumes))
    np.testing.assert_allclose(found.mean, reference.mean_, atol=1e-6)
    np.testing.assert_allclose(found.variances, reference.explained_variance_, rtol=1e-8)
    shares = found.variances / found.total_variance
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_, rtol=1e-8)
    signs = np.sign(np.sum(found.axes * reference.components_, axis=1, keepdims=True))
    np.testing.assert_allclose(signs * found.axes, reference.components_, atol=1e-6)


def test_a_memory_mapped_cohort_gives_the_same(data, tmp_path):
    np.save(tmp_path / "train.npy", data.train.volumes)
    mapped = np.load(tmp_path / "train.npy", mmap_mode="r")
    found = principal.principal_components(mapped, 4)
    expected = principal.principal_components(data.train.volumes, 4)
    np.testing.assert_array_equal(found.axes, expected.axes)


def test_planted_components_are_found():
    random = np.random.default_rng(0)
    axes = np.linalg.qr(random.normal(size=(512, 2)))[0].T
    scores = random.normal(size=(40, 2)) * [3.0, 1.0]
    volumes = (0.5 + scores @ axes).reshape(40, 8, 8, 8)
    found = principal.principal_components(volumes, 10)
    assert len(found.axes) == 2
    overlap = found.axes @ axes.T  # a rotation within the planted plane
    np.testing.assert_allclose(overlap @ overlap.T, np.eye(2), atol=1e-6)
    np.testing.assert_allclose(found.variances.sum(), found.total_variance)


def test_training_scans_come_back_exactly_with_all_components(data, tmp_path):
    model = fit(data, tmp_path).model
    batch = to_batch(data.train.volumes, CPU)
    torch.testing.assert_close(model(batch), batch, atol=2e-6, rtol=0)


def test_a_held_out_scan_is_projected_by_least_squares(data, tmp_path):
    fitted = fit(data, tmp_path, 3)
    reference = PCA(n_components=3, svd_solver="full").fit(as_rows(data.train.volumes))
    held_out = as_rows(data.validation.volumes)[:1]
    design = reference.components_.T
    weights = np.linalg.lstsq(design, (held_out - reference.mean_)[0], rcond=None)[0]
    expected = reference.mean_ + design @ weights
    decoded = fitted.model(to_batch(data.validation.volumes[:1], CPU))
    np.testing.assert_allclose(decoded.numpy().ravel(), expected, atol=2e-6)


def test_latents_keep_the_geometry_of_the_images_at_a_variance_of_one(data, tmp_path):
    model = fit(data, tmp_path).model
    latents = model.encode(to_batch(data.train.volumes, CPU))[0].flatten(1).numpy()
    np.testing.assert_allclose(latents.var(axis=0, ddof=1).mean(), 1, rtol=1e-5)
    images = as_rows(data.train.volumes)
    distances = [np.linalg.norm(images[n] - images[0]) for n in range(1, 5)]
    found = [np.linalg.norm(latents[n] - latents[0]) for n in range(1, 5)]
    np.testing.assert_allclose(np.divide(found, distances), found[0] / distances[0], rtol=1e-5)


def test_validation_scans_change_nothing_but_their_own_score(data, tmp_path):
    other = ScanSet(data.validation.names, 1 - data.validation.volumes)
    first = fit(data, tmp_path)
    second = fit(dataclasses.replace(data, validation=other), tmp_path)
    for name, weights in first.best.weights.items():
        assert torch.equal(weights, second.best.weights[name]), name
    assert first.history[0]["validation_l1"] != second.history[0]["validation_l1"]
    assert first.best.value == first.history[0]["validation_l1"]


def test_fewer_components_than_asked_for_are_logged(data, tmp_path, caplog):
    caplog.set_level(logging.INFO, "brainlapse")
    fitted = fit(data, tmp_path, 64)
    assert len(fitted.model.components) == 4
    assert "latent_size: 64 asked for, 4 possible with 5 training scans" in caplog.text
    assert "4 components carry 100.0 % of the variance" in caplog.text


def test_the_score_is_the_mean_absolute_difference(data, tmp_path):
    row = fit(data, tmp_path, 1).history[0]
    images = as_rows(data.validation.volumes)
    reference = PCA(n_components=1, svd_solver="full").fit(as_rows(data.train.volumes))
    decoded = reference.inverse_transform(reference.transform(images))
    assert row["validation_l1"] == pytest.approx(np.abs(decoded - images).mean(), rel=1e-4)


@pytest.mark.parametrize("rows", [[0], [0, 0, 0]])
def test_scans_without_any_difference_are_refused(data, rows):
    with pytest.raises(ValueError, match="at least 2 different training scans"):
        principal.principal_components(data.train.volumes[rows], 4)


def test_a_scan_that_repeats_adds_no_component(data):
    found = principal.principal_components(data.train.volumes[[0, 1, 2, 2]], 8)
    assert len(found.axes) == 2


@pytest.mark.parametrize(
    ("section", "value"),
    [("loss", {"kl_weight": 0.1}), ("training", {"steps": 8}), ("augmentation", {"gamma": 0.3})],
)
def test_settings_of_training_are_refused_for_a_closed_form(section, value):
    with pytest.raises(ValueError, match=f"{section}: family pca is fitted in closed form"):
        AutoencoderSettings.model_validate({"network": {"family": "pca"}, section: value})


def test_a_cohort_without_validation_scans_is_scored_on_its_training_scans(data, tmp_path):
    alone = TrainingData(data.train, ScanSet((), data.validation.volumes[:0]), 2.5)
    fitted = fit(alone, tmp_path, 2)
    assert fitted.best.value == fitted.history[0]["train_l1"] > 0
    assert "validation_l1" not in fitted.history[0]
