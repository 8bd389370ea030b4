"""The whole chain on a tiny cohort and on a clinic full of bad files."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import load_file

from brainlapse.cohort.columns import STATED
from brainlapse.config import load_config
from brainlapse.derivatives.dictionary import describe
from brainlapse.images import load_volume
from brainlapse.rejection import read_rejection
from brainlapse.space import SpaceSettings, mni_grid
from tests.integration.cohorts import BAD_FILES

pytestmark = pytest.mark.slow
STEPS = (
    "train_autoencoder:model=small",
    "encode_scans:model=small,dataset=tiny,block=block-0",
    "gather_latents:model=small",
    "fit_rates:model=small",
    "reconstruct_scans:model=small,dataset=tiny,block=block-0",
    "gather_reconstructions:model=small",
    "average_scans:",
    "judge_mean_image:dataset=tiny,block=block-0",
    "gather_mean_image:",
    "segment_decoded:model=small,kind=reconstructed,dataset=tiny,block=block-0",
    "segment_mean_image:",
    "summarise_reconstructions:model=small",
    "measure_volume_error:model=small",
    "reduce_latents:model=small",
    "evaluate_task:model=small,task=age",
    "decode_directions:model=small",
    "compare_regions:model=small,dataset=tiny,block=block-0",
    "find_anomalies:model=small",
    "fit_norms:",
    "compare_models:",
    "plot_directions:model=small",
    "plot_norms:",
    "measure_linearity:model=small",
    "forecast_scans:model=small,dataset=tiny,block=block-0",
    "gather_forecasts:model=small",
    "judge_forecast_images:model=small,dataset=tiny,block=block-0",
    "summarise_forecast_images:model=small",
    "interpolate_scans:model=small",
    "score_forecasts:model=small",
    "collect_volumes:",
    "plot_quality:",
    "write_quality_page:",
    "plot_latents:model=small",
)


def test_run_ends_at_its_report(finished_run):
    page = (finished_run.results / "report/index.html").read_text()
    assert "tiny cohort" in page
    assert "report/index.html" in finished_run.log
    assert not re.search(r"""(?:src|href)=["']https?://""", page)


def test_second_run_does_nothing(finished_run, snakemake):
    done = snakemake(finished_run.folder, "--cores", 2, "--configfile", finished_run.config)
    assert "Nothing to be done" in done.stdout


def test_every_step_can_be_a_job_of_its_own(finished_run, snakemake):
    """As a cluster runs it: one rule, which sees of the checkpoints what its inputs name."""
    snakemake(
        finished_run.folder, "-n", "--mode", "subprocess", "--force", "--configfile",
        finished_run.config, "--target-jobs", *STEPS, "--allowed-rules",
        *(step.partition(":")[0] for step in STEPS),
    )  # fmt: skip


def test_configuration_of_the_run_is_kept_whole(finished_run):
    kept = yaml.safe_load((finished_run.results / "config.yaml").read_text())
    assert load_config(kept) == kept
    assert set(kept["datasets"]) == {"tiny", "clinic"}
    assert kept["space"]["voxel_mm"] == 4.0


def test_report_of_snakemake_itself_works_too(finished_run, snakemake, tmp_path):
    page = tmp_path / "report.html"
    snakemake(finished_run.folder, "--configfile", finished_run.config, "--report", page)
    assert "Forecast errors" in page.read_text() or "forecast errors" in page.read_text()


@pytest.mark.parametrize("subject", BAD_FILES)
def test_bad_file_is_listed_with_its_sentence(finished_run, subject):
    rejected = finished_run.table("cohort/rejected.tsv")
    rows = rejected[rejected["path"].str.contains(f"/{subject}/", regex=False)]
    assert len(rows) == 1
    assert BAD_FILES[subject] in rows["reason"].iloc[0]
    assert subject in rows["reason"].iloc[0]
    assert rows["stage"].iloc[0] == "cohort"


def test_scans_without_a_usable_age_stay_with_a_note(finished_run):
    scans = finished_run.table("cohort/scans.tsv")
    clinic = scans[scans["dataset"] == "clinic"]
    assert clinic["subject"].tolist() == ["sub-01", "sub-02", "sub-03"]
    assert clinic["age_years"].isna().all()
    assert clinic["note"].notna().all()
    predictions = finished_run.table("aging/small/predictions.tsv")
    assert "clinic" not in set(predictions["dataset"])


def test_every_accepted_scan_went_through(finished_run):
    scans = finished_run.table("cohort/scans.tsv")
    quality = finished_run.table("preprocess/qc.tsv")
    assert len(scans) == len(quality) == 12 + 3
    assert set(quality["status"]) <= {"accepted", "flagged"}


def test_brains_are_on_the_grid_and_normalised(finished_run):
    grid = mni_grid(SpaceSettings(voxel_mm=4.0, shape=(40, 48, 40)))
    paths = sorted(finished_run.results.glob("preprocess/*/**/*_desc-brain_T1w.nii.gz"))
    assert len(paths) == 15
    for path in paths:
        assert read_rejection(path) is None
        volume, affine = load_volume(path)
        assert volume.shape == grid.shape
        np.testing.assert_allclose(affine, grid.affine)
        assert volume.min() >= 0
        assert 0.5 < volume.max() <= 1
        assert (volume == 0).mean() > 0.4


def test_affines_agree_with_the_planted_ones(finished_run):
    """Native brain volumes, which undo the affine, match the truth that was planted."""
    volumes = finished_run.table("volumes/volumes.tsv")
    volumes = volumes[(volumes["kind"] == "real") & (volumes["dataset"] == "tiny")]
    measured = volumes[volumes["region"] == "brain"]
    truth = finished_run.table("simulated/tiny/derivatives/truth/truth.tsv")
    truth = truth[truth["region"] == "brain"]
    both = measured.merge(truth, on="scan", suffixes=("", "_true"))
    assert len(both) == 12
    ratio = both["native_volume_mm3"] / both["native_volume_mm3_true"]
    assert ratio.between(0.9, 1.2).all()
    assert np.corrcoef(both["native_volume_mm3"], both["native_volume_mm3_true"])[0, 1] > 0.9


def test_no_subject_stands_on_two_sides(finished_run):
    scans = finished_run.table("cohort/scans.tsv")
    sides = scans.drop_duplicates(["dataset", "subject", "split"])
    assert not sides.duplicated(["dataset", "subject"]).any()
    assert set(scans[scans["dataset"] == "clinic"]["split"]) == {"apply"}


def test_model_is_safe_to_read_and_says_what_it_is(finished_run):
    folder = finished_run.results / "autoencoder/small"
    assert load_file(folder / "model.safetensors")
    card = json.loads((folder / "config.json").read_text())
    assert card["settings"]["network"]["family"] == "s2d"
    history = finished_run.table("autoencoder/small/history.tsv")
    assert history["train_l1"].iloc[-1] < history["train_l1"].iloc[0]


def test_latents_and_reconstructions_cover_every_scan(finished_run):
    with np.load(finished_run.results / "latents/small/latents.npz") as latents:
        assert latents["mean"].shape == latents["log_variance"].shape == (15, 4, 5, 6, 5)
        assert np.isfinite(latents["mean"]).all()
    index = finished_run.table("latents/small/index.tsv")
    table = finished_run.table("autoencoder/small/reconstruction.tsv")
    assert index["scan"].tolist() == table["scan"].tolist()
    assert table[["ssim", "psnr_db", "mae", "mse"]].notna().all(axis=None)


def test_errors_follow_from_the_volumes(finished_run):
    """Every error is computed again from volumes.tsv, independently."""
    errors = finished_run.table("aging/small/errors.tsv")
    volumes = finished_run.table("volumes/volumes.tsv")
    real = volumes[volumes["kind"] == "real"].set_index(["dataset", "scan", "region"])["volume_mm3"]
    decoded = volumes[volumes["kind"] == "predicted"]
    decoded = decoded[decoded["n_scans_so_far"] == decoded["n_scans_seen"]]
    decoded = decoded.set_index(["dataset", "scan", "region", "method", "n_scans_seen"])
    for row in errors.itertuples():
        observed = real[row.dataset, row.scan, row.region]
        assert row.observed_mm3 == pytest.approx(observed)
        expected = 100 * abs(row.predicted_mm3 - observed) / observed
        assert row.abs_error_pct == pytest.approx(expected)
        if row.method in ("linear", "population_rate", "bayes"):
            key = (row.dataset, row.scan, row.region, row.method, row.n_scans_seen)
            assert row.predicted_mm3 == pytest.approx(decoded.loc[key, "volume_mm3"])
    assert {"copy_last", "reconstruction", "linear", "population_rate"} <= set(errors["method"])
    assert {"hippocampus", "lateral_ventricles", "grey_matter"} <= set(errors["region"])


def test_every_region_of_every_image_has_a_volume(finished_run):
    """The embedded segmenter gives each structure of the contract, decoded images included."""
    volumes = finished_run.table("volumes/volumes.tsv")
    assert set(volumes["kind"]) >= {"real", "reconstructed", "predicted"}
    assert (volumes["volume_mm3"] >= 0).all()
    hippocampus = volumes[(volumes["region"] == "hippocampus") & (volumes["kind"] == "real")]
    assert (hippocampus["volume_mm3"] > 0).all()


def test_forecasts_use_earlier_scans_only(finished_run):
    predictions = finished_run.table("aging/small/predictions.tsv")
    scans = finished_run.table("cohort/scans.tsv")
    assert set(predictions["split"]) == {"test", "validation"}  # these choose, and are not judged
    assert (predictions["horizon_years"] > 0).all()
    ages = scans[scans["dataset"] == "tiny"].set_index("scan")["age_years"]
    expected = predictions["scan"].map(ages) - predictions["last_scan"].map(ages)
    np.testing.assert_allclose(predictions["horizon_years"], expected)
    for path in predictions["file"]:
        assert (finished_run.results / path).is_file()


def test_tasks_stand_beside_their_baselines(finished_run):
    for task in ("diagnosis", "age"):
        metrics = finished_run.table(f"analysis/small/tasks/{task}/metrics.tsv")
        assert metrics["baseline"].notna().any()
        predictions = finished_run.table(f"analysis/small/tasks/{task}/predictions.tsv")
        folds = predictions.groupby(["dataset", "subject"])["fold"].nunique()
        assert (folds == 1).all()


def test_nothing_is_left_half_done(finished_run):
    assert list(finished_run.results.rglob("*.tmp*")) == []
    left = {path.name for path in (finished_run.results / ".resume").iterdir()}
    assert left == {"run.lock", "cohort"}  # kept, so that new scans alone are read
    assert isinstance(finished_run.table("volumes/volumes.tsv"), pd.DataFrame)


def test_every_column_of_every_table_is_in_the_dictionary(finished_run):
    """A new column goes to brainlapse/derivatives/columns.tsv with its meaning and unit."""
    user_columns = {"site"}
    unknown = {}
    for path in finished_run.results.rglob("*.tsv"):
        place = path.relative_to(finished_run.results).parts[0]
        if place in ("simulated", "benchmarks", "logs", ".resume", "derivatives"):
            continue
        for column in pd.read_csv(path, sep="\t", nrows=0).columns:
            stated = column.endswith(STATED)  # the user's own, whose name is one of ours
            if not stated and describe(column)["Description"].startswith("as in the participants"):
                unknown[column] = path.name
    assert set(unknown) <= user_columns, unknown


def test_derivatives_hold_each_data_set(finished_run):
    for dataset, scans in (("tiny", 12), ("clinic", 3)):
        folder = finished_run.results / "derivatives" / dataset
        assert len(list(folder.rglob("*_desc-brain_T1w.nii.gz"))) == scans
        volumes = pd.read_csv(folder / "phenotype/volumes.tsv", sep="\t")
        assert len(volumes) == scans
        assert volumes["hippocampus"].gt(0).all()


def test_people_with_several_visits_have_rates(finished_run):
    rates = finished_run.table("volumes/rates.tsv")
    usable = finished_run.table("preprocess/qc.tsv").query("status != 'rejected'")
    visits = usable.groupby(["dataset", "subject"])["scan"].nunique()
    expected = {person for person, count in visits.items() if count > 1}
    assert set(zip(rates["dataset"], rates["subject"], strict=True)) == expected
    assert (rates["standard_error"].dropna() > 0).all()


def test_requests_are_forecast_in_both_spaces_or_refused(finished_run, snakemake, tmp_path):
    scans = finished_run.table("cohort/scans.tsv")
    person = scans[scans["split"] == "test"].sort_values("age_years").iloc[-1]
    asked = tmp_path / "asked.tsv"
    # The clinic has a subject of the same name.
    rows = [("dataset", "subject", "age_years"), ("tiny", person["subject"], "95"),
            ("n/a", "sub-nobody", "70")]  # fmt: skip
    asked.write_text("".join("\t".join(row) + "\n" for row in rows))
    snakemake(
        finished_run.folder, "predict", "--cores", 2, "--configfile", finished_run.config,
        "--config", f"predict={{requests: {asked}}}",
    )  # fmt: skip
    plan = finished_run.table("predict/small/predictions.tsv")
    assert plan["seen_scans"].item().split(",")[-1] == person["scan"]
    assert "years old" in plan["note"].item()  # nobody of 95 trained
    refused = finished_run.table("predict/small/refused.tsv")
    assert "found none of sub-nobody" in refused["reason"].item()

    images = finished_run.results / "predict/small/images"
    grid = mni_grid(SpaceSettings.model_validate(load_config(
        yaml.safe_load(finished_run.config.read_text()))["space"]))  # fmt: skip
    assert load_volume(images / plan["file"].item())[0].shape == grid.shape
    forecast, affine = load_volume(images / plan["native_file"].item())
    stem = f"{person['dataset']}/{person['subject']}/{person['session']}/{person['scan']}"
    mask = finished_run.results / f"preprocess/{stem}_space-T1w_desc-brain_mask.nii.gz"
    native, native_affine = load_volume(mask)
    np.testing.assert_allclose(affine, native_affine)
    overlap = 2 * ((forecast > 0) & (native > 0)).sum() / ((forecast > 0).sum() + native.sum())
    assert overlap > 0.9  # the person's own head, in place

    volumes = finished_run.table("predict/small/volumes.tsv")
    assert {"copy_last", "volume_linear", "image"} <= set(volumes["method"])
    copies = volumes[volumes["method"] == "copy_last"]
    assert (copies["predicted_mm3"] == copies["last_observed_mm3"]).all()
    folder = finished_run.results / "predict/small"
    for name in ("predictions.png", "viewer.html", f"animations/tiny/{person['subject']}.gif"):
        assert (folder / name).stat().st_size > 10_000, name
    assert f"tiny/{person['subject']}" in (folder / "viewer.html").read_text(encoding="utf-8")
