import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis.pca import (
    fit_components,
    pack_components,
    reduce_latents,
    unpack_components,
)


def cohort(splits):
    subjects = [f"sub-{number:02d}" for number in range(len(splits))]
    return pd.DataFrame(
        {
            "dataset": "demo",
            "subject": subjects,
            "session": np.nan,
            "scan": subjects,
            "split": splits,
            "diagnosis": "control",
            "age_years": 50.0,
            "flagged": False,
        }
    )


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(12, 2, 3, 3, 3)).astype(np.float32)


def test_scores_are_the_singular_vectors_of_training_scans(latents):
    index = cohort(["train"] * 8 + ["test"] * 4)
    scores, variance = reduce_latents(latents, index, components=3, seed=0)
    rows = latents.reshape(12, -1)
    centred = rows - rows[:8].mean(axis=0)
    _, spread, axes = np.linalg.svd(centred[:8], full_matrices=False)
    expected = centred @ axes[:3].T
    found = scores[["pc1", "pc2", "pc3"]].to_numpy()
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
    ratio = (spread**2 / np.sum(spread**2))[:3]
    np.testing.assert_allclose(variance["explained_variance_ratio"], ratio, rtol=1e-4)


def test_test_and_flagged_scans_do_not_move_the_axes(latents):
    index = cohort(["train"] * 8 + ["test"] * 4)
    index.loc[7, "flagged"] = True
    before, _ = reduce_latents(latents, index, components=3, seed=0)
    changed = latents.copy()
    changed[7:] += 100
    after, _ = reduce_latents(changed, index, components=3, seed=0)
    pd.testing.assert_frame_equal(before.iloc[:7], after.iloc[:7])
    assert not np.allclose(before["pc1"].iloc[7:], after["pc1"].iloc[7:])


def test_components_are_as_many_as_training_scans_allow(latents):
    scores, variance = reduce_latents(latents, cohort(["train"] * 3 + ["test"] * 9), 10, seed=0)
    assert list(variance["component"]) == ["pc1", "pc2"]
    assert "pc3" not in scores
    lone, none = reduce_latents(latents, cohort(["train"] + ["test"] * 11), 10, seed=0)
    assert len(lone) == 12
    assert none.empty


def test_no_training_scan_is_an_error(latents):
    with pytest.raises(ValueError, match="expected unflagged scans of the train split"):
        reduce_latents(latents, cohort(["test"] * 12), 2, seed=0)


def test_a_run_without_training_scans_is_projected_on_known_components(latents):
    trained = cohort(["train"] * 8 + ["test"] * 4)
    known = unpack_components(pack_components(fit_components(latents, trained, 5, seed=0)))
    expected, ratios = reduce_latents(latents, trained, 3, seed=0)
    applied = cohort(["apply"] * 12)
    assert fit_components(latents, applied, 5, seed=0) is None
    with pytest.raises(ValueError, match="train split, found none"):
        reduce_latents(latents, applied, 3, seed=0)
    scores, variance = reduce_latents(latents, applied, 3, seed=0, known=known)
    names = ["pc1", "pc2", "pc3"]
    np.testing.assert_allclose(scores[names], expected[names], atol=1e-4)
    pd.testing.assert_frame_equal(variance, ratios)
    own, _ = reduce_latents(latents + 1, trained, 3, seed=0, known=known)  # its own scans count
    np.testing.assert_allclose(own[names], expected[names], atol=1e-4)
