"""Maps of reconstruction errors: what is planted stands out, somebody like the others doesn't."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from brainlapse.analysis import error_maps
from brainlapse.analysis.error_maps import MAP_COLUMNS, fit_norm, score_errors, smoothed_log_error
from brainlapse.cohort.tables import scan_path
from brainlapse.images import load_volume, save_volume
from brainlapse.latents import reconstructed_file
from brainlapse.runtime import read_table
from brainlapse.space import SpaceSettings, mni_grid
from tests.unit.figures.run_scripts import run_script

SHAPE, VOXEL_MM = (24, 28, 24), 4.0
BALL = (6, 20, 9)


def brain_mask():
    places = np.moveaxis(np.indices(SHAPE), 0, -1) - np.array(SHAPE) / 2
    return np.linalg.norm(places, axis=-1) < 11


def draw(random, inside, ball=0.0):
    """A scan and its reconstruction: a smooth error, and perhaps a ball given back badly."""
    size = np.exp(random.normal(0, 0.05) + 4 * gaussian_filter(random.normal(size=SHAPE), 2))
    error = 0.05 * size * np.sign(random.normal(size=SHAPE))
    apart = np.moveaxis(np.indices(SHAPE), 0, -1) - np.array(BALL)
    error += ball * (np.linalg.norm(apart, axis=-1) < 2.5)
    brain = np.where(inside, 0.5, 0).astype(np.float32)
    return brain, np.where(inside, brain + error, 0).astype(np.float32)


@pytest.fixture(scope="module")
def inside():
    return brain_mask()


@pytest.fixture(scope="module")
def norm(inside):
    random = np.random.default_rng(0)
    errors = (smoothed_log_error(*draw(random, inside), inside, VOXEL_MM) for _ in range(40))
    return fit_norm(errors, SHAPE)


def score(seed, inside, norm, ball=0.0):
    pair = draw(np.random.default_rng(seed), inside, ball)
    return score_errors(smoothed_log_error(*pair, inside, VOXEL_MM), norm)


def test_somebody_like_the_others_has_standard_normal_scores(inside, norm):
    scores = np.stack([score(seed, inside, norm)[inside] for seed in range(100, 160)])
    assert scores.mean() == pytest.approx(0, abs=0.15)
    assert scores.std() == pytest.approx(1, abs=0.1)
    assert (scores > 3).mean() < 0.004


def test_a_planted_ball_is_the_peak(inside, norm):
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1])
    scores = score(7, inside, norm, ball=0.5)
    found = error_maps.describe_map(scores, affine)
    place = [found[f"peak_{axis}_mm"] for axis in "xyz"]
    assert np.linalg.norm(np.array(place) - VOXEL_MM * np.array(BALL)) <= 2 * VOXEL_MM
    assert found["peak_z"] > 6
    assert found["share_above_3"] > 0.005
    assert found["voxels"] == inside.sum()


def test_the_norm_is_that_of_numpy_and_counts_who_has_a_brain(inside):
    random = np.random.default_rng(1)
    masks = [inside & (random.uniform(size=SHAPE) < 0.8) for _ in range(12)]
    errors = [smoothed_log_error(*draw(random, inside), mask, VOXEL_MM) for mask in masks]
    norm = fit_norm(iter(errors), SHAPE)
    assert np.array_equal(norm.people, np.sum(masks, axis=0))
    several = norm.people > 1
    stack = np.stack(errors)[:, several]
    assert np.allclose(norm.mean[several], np.nanmean(stack, axis=0), atol=1e-5)
    assert np.allclose(norm.spread[several], np.nanstd(stack, axis=0, ddof=1), atol=1e-5)
    scores = score_errors(errors[0], norm)
    assert not scores[norm.people < 10].any()
    assert not scores[~masks[0]].any()


def test_smoothing_takes_nothing_from_outside_the_brain(inside):
    """An even error stays even up to the edge of the mask."""
    brain = np.where(inside, 0.5, 0).astype(np.float32)
    error = smoothed_log_error(brain, brain + 0.05, inside, VOXEL_MM)
    assert np.allclose(error[inside], np.log(0.05), atol=1e-4)
    assert np.isnan(error[~inside]).all()


def scans(validation=12, train=20):
    splits = ["validation"] * validation + ["train"] * train + ["test"] * 5
    rows = [
        {
            "dataset": "a",
            "subject": f"sub-{number:03d}",
            "session": f"ses-{visit}",
            "scan": f"sub-{number:03d}_ses-{visit}",
            "split": split,
            "age_years": 50.0 + visit,
            "flagged": False,
        }
        for number, split in enumerate(splits)
        for visit in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def test_one_scan_of_each_validation_person_and_only_strangers_are_mapped():
    index = scans()
    index.loc[1, "flagged"] = True  # the middle visit of the first
    reference = error_maps.choose_reference(index)
    assert set(reference["split"]) == {"validation"}
    assert reference["subject"].is_unique
    assert reference["session"].tolist() == ["ses-1", *["ses-2"] * 11]
    mapped = error_maps.choose_mapped(index, reference)
    assert set(mapped["split"]) == {"test"}
    assert len(mapped) == 15


def test_with_few_validation_people_training_people_are_the_norm():
    index = scans(validation=9)
    reference = error_maps.choose_reference(index)
    assert set(reference["split"]) == {"train"}
    assert len(reference) == 20
    assert set(error_maps.choose_mapped(index, reference)["split"]) == {"validation", "test"}
    nobody = index[index["split"] == "test"]
    assert error_maps.choose_reference(nobody).empty
    assert error_maps.choose_mapped(nobody, error_maps.choose_reference(nobody)).empty


def test_of_many_people_200_make_the_norm():
    assert len(error_maps.choose_reference(scans(validation=300))) == error_maps.MOST_PEOPLE


def test_the_jobs_write_norm_maps_and_a_table(tmp_path):
    space = SpaceSettings(voxel_mm=4.0, shape=(24, 28, 24))
    grid, inside, random = mni_grid(space), brain_mask(), np.random.default_rng(3)
    rows, files = scans(validation=12, train=0), {"brain": [], "mask": [], "decoded": []}
    rows = rows[rows["session"] == "ses-1"].reset_index(drop=True)
    for number, row in rows.iterrows():
        place = scan_path(row["dataset"], row["subject"], row["session"])
        brain, decoded = draw(random, inside, ball=0.9 * (number == len(rows) - 1))
        volumes = {"brain": brain, "mask": inside.astype(np.uint8), "decoded": decoded}
        for name, volume in volumes.items():
            stem = reconstructed_file(place) if name == "decoded" else f"{place}_{name}.nii.gz"
            path = tmp_path / name / stem
            save_volume(path, volume, grid.affine)
            files[name].append(path)
    is_norm = (rows["split"] == "validation").to_numpy()

    def of(name, chosen):
        return [path for path, wanted in zip(files[name], chosen, strict=True) if wanted]

    params = {"space": space.model_dump(mode="json")}
    run_script(
        "average_errors",
        input={"brains": of("brain", is_norm), "masks": of("mask", is_norm)},
        output={"norm": tmp_path / "norm"},
        params={**params, "decoded": of("decoded", is_norm)},
    )
    table = tmp_path / "block.tsv"
    selection = rows.loc[~is_norm, ["dataset", "subject", "session", "scan", "split"]]
    run_script(
        "map_errors",
        input={
            "norm": tmp_path / "norm",
            "brains": of("brain", ~is_norm),
            "masks": of("mask", ~is_norm),
            "folder": tmp_path / "decoded",
        },
        output={"folder": tmp_path / "maps", "table": table},
        params={
            **params,
            "scans": selection.to_dict("records"),
            "norm_split": "validation",
            "folder_name": "maps",
        },
    )
    gathered = tmp_path / "error_maps.tsv"
    run_script("gather_error_maps", input={"tables": [table]}, output={"table": gathered})
    found = read_table(gathered, MAP_COLUMNS)
    assert found["scan"].tolist() == sorted(selection["scan"])
    assert found["peak_z"].idxmax() == len(found) - 1
    volume, affine = load_volume(tmp_path / found["file"].iloc[-1])
    assert volume.max() == pytest.approx(found["peak_z"].iloc[-1], abs=1e-3)
    assert np.allclose(affine, grid.affine)
    run_script("gather_error_maps", input={"tables": []}, output={"table": gathered})
    assert read_table(gathered, MAP_COLUMNS).empty
