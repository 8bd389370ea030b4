"""Where tasks look, against an effect that was planted in images which a linear decoder knows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.pipeline import make_pipeline

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks import patterns
from brainlapse.analysis.tasks.crossval import latent_steps
from brainlapse.analysis.tasks.estimators import CLASSIFIERS
from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.folds import select_scans
from brainlapse.analysis.tasks.patterns import find_pattern, pattern_of, pattern_table
from brainlapse.analysis.tasks.tuning import fit_tuned
from brainlapse.networks.interface import Autoencoder
from brainlapse.training.encoding.passes import decode_latents, encode_volumes
from brainlapse.training.principal import linear_autoencoder, principal_components
from brainlapse.training.settings import AutoencoderSettings, EncodingSettings

# All components of the latents: the first few are mostly what was planted, under any labels.
SETTINGS = AnalysisSettings(inner_folds=3, task_components=60)
FEW = AnalysisSettings(inner_folds=3)
TASK = TaskSettings(name="groups", target="diagnosis", kind="classification", positive="patient")
SHAPE = (16, 20, 16)
CPU = torch.device("cpu")
PASSES = EncodingSettings(batch_size=8)


@dataclass
class Planted:
    """People whose images differ by group in one known place."""

    index: pd.DataFrame
    model: Autoencoder
    latents: np.ndarray
    difference: np.ndarray  # (X, Y, Z), patients minus controls


def planted(seed, people=200):
    """Smooth noise everywhere, and a dark ball in one half of every patient's image."""
    random = np.random.default_rng(seed)
    patient = random.permutation(np.arange(people) % 2 == 1)
    noise = random.normal(size=(people, *SHAPE))
    noise = gaussian_filter(noise, (0, 2, 2, 2))
    ball = np.linalg.norm(np.indices(SHAPE).T - [4, 12, 8], axis=-1).T < 3
    difference = np.where(ball, -0.15, 0)
    volumes = 0.5 + 0.05 * noise / noise.std() + patient[:, None, None, None] * difference
    volumes = volumes.astype(np.float32)
    network = {"family": "pca", "latent_size": 60}
    found = principal_components(volumes, 60)
    settings = AutoencoderSettings.model_validate({"network": network})
    model = linear_autoencoder(found, settings, SHAPE)
    latents = np.stack([mean for mean, _ in encode_volumes(model, volumes, PASSES, CPU)])
    names = [f"sub-{number:03d}" for number in range(people)]
    index = pd.DataFrame(
        {
            "dataset": "toy",
            "subject": names,
            "session": None,
            "scan": names,
            "split": "train",
            "diagnosis": np.where(patient, "patient", "control"),
            "flagged": False,
        }
    )
    return Planted(index, model, latents, difference)


def decoded_map(cohort, step):
    mean = cohort.latents.reshape(len(cohort.latents), -1).mean(axis=0)
    ends = np.stack([mean - step, mean + step]).reshape(2, *cohort.latents.shape[1:])
    low, high = decode_latents(cohort.model, ends.astype(np.float32), PASSES, CPU)
    return high - low


def likeness(cohort, index):
    """Correlation over voxels of a task's map with what was planted."""
    step = find_pattern(cohort.latents, index, TASK, SETTINGS, seed=0).step
    found = decoded_map(cohort, step)
    return np.corrcoef(found.ravel(), cohort.difference.ravel())[0, 1]


def weights_likeness(cohort):
    """The same of the raw weights, carried back to the latents."""
    scans = select_scans(cohort.index, TASK)
    rows = cohort.latents.reshape(len(cohort.latents), -1)
    pca, leading = steps = latent_steps(rows, SETTINGS, 0)
    scores = make_pipeline(*steps).fit_transform(rows)
    tuned = fit_tuned(scores, scans, CLASSIFIERS["logistic"], SETTINGS, 0, ordered=True)
    weights = patterns.weights_of(tuned) @ pca.components_[: tuned.count]
    weights = weights / leading.scale_
    step = weights / np.linalg.norm(weights)
    return np.corrcoef(decoded_map(cohort, step).ravel(), cohort.difference.ravel())[0, 1]


def shuffled(index, seed):
    labels = np.random.default_rng(100 + seed).permutation(index["diagnosis"])
    return index.assign(diagnosis=labels)


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_difference_is_where_the_map_is(seed):
    """Of 20 such cohorts: 0.91 to 0.96, the raw weights 0.87 to 0.91, shuffled -0.65 to 0.68.

    Shuffled labels have a map of what varies most, and here that is what was planted.
    """
    cohort = planted(seed)
    found = likeness(cohort, cohort.index)
    assert found > 0.9
    metrics = evaluate_task(cohort.latents, cohort.index, TASK, FEW, seed=0).metrics
    value = metrics.set_index(["metric", "autoencoder_split"])["value"]
    assert value["roc_auc", "all"] > 0.95  # elements scaled to one spread each: 0.57 at most
    assert found > weights_likeness(cohort) + 0.01
    assert abs(likeness(cohort, shuffled(cohort.index, seed))) < 0.8


def test_noise_that_weights_take_away_is_no_pattern():
    """The second element holds only the noise of the first (Haufe et al., 2014, example 1)."""
    random = np.random.default_rng(0)
    signal, noise = random.normal(size=(2, 5000))
    latents = np.stack([signal + noise, noise], axis=1)
    weights = np.array([1.0, -1.0])  # gives the signal without noise
    pattern = pattern_of(latents, latents @ weights)
    np.testing.assert_allclose(pattern, [1, 0], atol=0.05)


def test_the_pattern_is_the_covariance_times_the_weights():
    random = np.random.default_rng(1)
    latents = random.normal(size=(50, 6)) @ random.normal(size=(6, 6)) + 3
    weights = random.normal(size=6)
    covariance = np.cov(latents, rowvar=False)
    expected = covariance @ weights / np.sqrt(weights @ covariance @ weights)
    np.testing.assert_allclose(pattern_of(latents, latents @ weights), expected, rtol=1e-5)
    assert not pattern_of(latents, np.ones(50)).any()


def ages(people=120):
    """Latents (N, 1, 2, 2, 2) whose first element grows with age; two data sets."""
    random = np.random.default_rng(2)
    age = random.uniform(50, 90, people)
    latents = random.normal(size=(people, 1, 2, 2, 2)).astype(np.float32)
    latents[:, 0, 0, 0, 0] += (age - 70) / 5
    names = [f"sub-{number:03d}" for number in range(people)]
    index = pd.DataFrame({"dataset": "a", "subject": names, "session": None, "scan": names})
    index.loc[people // 2 :, "dataset"] = "b"
    return latents, index.assign(split="test", age_years=age, flagged=False)


def test_a_number_rises_along_its_step_and_people_of_the_task_alone_count():
    latents, index = ages()
    task = TaskSettings(name="age", target="age_years", kind="regression", train_datasets=["a"])
    found = find_pattern(latents, index, task, AnalysisSettings(), seed=0)
    assert (found.toward, found.estimator, found.n_subjects) == ("age_years", "ridge", 60)
    assert found.step.argmax() == 0
    spread = latents[:60, 0, 0, 0, 0].std(ddof=1)
    assert 0.8 * spread < found.step[0] <= spread * 1.0001
    latents[60:] += 100  # judged only
    again = find_pattern(latents, index, task, AnalysisSettings(), seed=0)
    np.testing.assert_array_equal(found.step, again.step)


def test_what_has_no_map_says_why():
    latents, index = ages()
    index["group"] = np.array(["x", "y", "z"])[np.arange(len(index)) % 3]
    three = TaskSettings(name="three", target="group", kind="classification")
    trees = three.model_copy(update={"name": "trees", "estimators": ["knn"]})
    nobody = three.model_copy(update={"name": "nobody", "target": "height"})
    found = [find_pattern(latents, index, t, SETTINGS, 0) for t in (three, trees, nobody)]
    table = pattern_table(found, "analysis/m/directions")
    assert table["file"].isna().all()
    assert table["note"].str.startswith("left out: ").all()
    for row, words in enumerate(["3 classes", "no linear estimator, only knn", "no column"]):
        assert words in table["note"][row]


def test_of_several_estimators_the_first_linear_one_is_shown():
    latents, index = ages()
    task = TaskSettings(
        name="age", target="age_years", kind="regression", estimators=["svr", "ridge"]
    )
    found = find_pattern(latents, index, task, SETTINGS, seed=0)
    assert found.estimator == "ridge"
    row = pattern_table([found], "analysis/m/directions").iloc[0]
    assert row["file"] == "analysis/m/directions/age.nii.gz"
    assert row["note"] is None
