"""Reruns follow meaning: edit this, and exactly these rules run."""

import shutil
from pathlib import Path

import pytest
import yaml

from brainlapse.preprocessing.registration.settings import RegistrationSettings
from brainlapse.provenance import code_fingerprint
from tests.conftest import planned_rules
from tests.integration.cohorts import CLINIC

ROOT = Path(__file__).parents[2]
PREPROCESS = {
    "mask_brain", "correct_bias", "register_brain", "align_visit", "place_brain", "measure_quality",
}  # fmt: skip
DECODE = {
    "encode_scans", "reconstruct_scans", "forecast_scans", "interpolate_scans", "predict_scans",
    "decode_directions",
}  # fmt: skip
PLOTS = {
    "plot_cohort", "plot_quality", "plot_training", "plot_reconstructions", "plot_latents",
    "plot_task", "plot_norms", "plot_forecasts", "plot_linearity", "plot_comparison",
    "plot_predictions", "plot_directions",
}  # fmt: skip
VIEWERS = {"write_viewer", "view_predictions"}
# The command reaches the whole chain, for heads in any pose; the table of volumes its labels.
SEGMENT = {
    "segment_real",
    "segment_aligned",
    "measure_predictions",
    "segment_decoded",
    "segment_mean_image",
    "repeat_scan",
}
ALIGN = {"align_visit", "repeat_scan"}
TRAIN = {"train_autoencoder", "pretrain_autoencoder"}
JUDGE = {"reconstruct_scans", "judge_mean_image"}
MAP_ERRORS = {"average_errors", "map_errors", "gather_error_maps"}
EDITS = {  # module -> the rules whose own code it is
    "simulation/head.py": {"simulate_dataset"},
    "cohort/folders/bids.py": {"build_cohort"},
    "preprocessing/bias.py": {"correct_bias", "measure_quality", "take_brain", *SEGMENT},
    "preprocessing/intensity.py": {
        "place_brain",
        "take_brain",
        "simulate_dataset",
        "draw_brains",
        *SEGMENT,
    },
    "preprocessing/quality/measures.py": {"measure_quality", "take_brain"},
    "preprocessing/quality/verdict.py": {"align_visit", "collect_quality"},
    "preprocessing/longitudinal/alignment.py": ALIGN,
    "preprocessing/longitudinal/difference_field.py": ALIGN,
    "preprocessing/longitudinal/field.py": {*ALIGN, "place_brain", "segment_aligned"},
    "preprocessing/longitudinal/aligned.py": {"segment_aligned", "repeat_scan"},
    "preprocessing/longitudinal/visit.py": {*ALIGN, "segment_aligned"},
    "preprocessing/quality/visits.py": {"collect_quality"},
    "preprocessing/quality/doubles.py": {"collect_quality"},
    "preprocessing/quality/fingerprint.py": {"measure_quality", "take_brain", "collect_quality"},
    "preprocessing/longitudinal/repeat.py": {"repeat_scan"},
    "segmentation/rates.py": {"measure_rates"},
    "segmentation/group_rates.py": {"measure_rates"},
    "segmentation/noise_floor.py": {"repeat_scan", "measure_noise_floor"},
    "cohort/visits.py": set(),
    "cohort/sites.py": {
        "separate_groups",
        "audit_sites",
        "embed_latents",
        "measure_site_steps",
        "plot_latents",
        "fit_norms",
        "fit_rate_norms",
    },
    "preprocessing/quality/outliers.py": {"collect_quality"},
    "preprocessing/intake.py": {"take_brain"},
    "preprocessing/quality/review.py": {"collect_quality"},
    "training/loop/losses.py": TRAIN,
    "training/principal.py": TRAIN,
    "training/heads/centring.py": TRAIN,
    # part of a model's code where it has heads
    "training/heads/network.py": set(),
    "analysis/embedding.py": {"embed_latents"},
    "analysis/error_maps.py": MAP_ERRORS,
    "analysis/heads/labels.py": {"collect_labels", "evaluate_heads"},
    "analysis/heads/evaluation.py": {"evaluate_heads"},
    "training/data/augmentation.py": TRAIN,
    "networks/space_to_depth.py": {*TRAIN, "load_bundle", *DECODE},
    "networks/vector.py": {*TRAIN, "load_bundle", *DECODE},
    "networks/linear.py": {*TRAIN, "load_bundle", *DECODE},
    "networks/perceptual.py": {*TRAIN, *JUDGE},
    "networks/trained.py": {*TRAIN, "simulate_dataset", *JUDGE, *SEGMENT},
    "training/encoding/passes.py": {"load_bundle", *DECODE},
    "training/model/precision.py": TRAIN,
    "bundle/reading.py": {"load_bundle"},
    "bundle/export.py": set(),
    "figures/models/comparison.py": {"plot_comparison", "write_report"},
    "training/encoding/judging.py": JUDGE,
    "training/encoding/average.py": {"average_scans"},
    "cohort/blocks.py": {"gather_blocks"},
    "cohort/people/names.py": {
        *("audit_sites", "compare_models", "compare_regions", "decode_directions", *MAP_ERRORS),
        "collect_quality",
        *("collect_labels", "embed_latents", "evaluate_heads", "evaluate_task", "find_anomalies"),
        *(
            "fit_norms",
            "fit_rate_norms",
            "measure_site_steps",
            "plot_comparison",
            "plot_latents",
            "plot_norms",
            "separate_groups",
            "write_report",
        ),
    },
    "analysis/reconstructions.py": {
        "summarise_reconstructions",
        "measure_volume_error",
        "segment_mean_image",
    },
    "analysis/pca.py": {
        *("reduce_latents", "evaluate_task", "evaluate_heads", "load_bundle"),
        *("embed_latents", "decode_directions"),
    },
    "analysis/walks.py": {"decode_directions"},
    "analysis/tasks/patterns.py": {"decode_directions"},
    "analysis/tasks/tuning.py": {"evaluate_task", "evaluate_heads", "decode_directions"},
    "figures/models/directions.py": {"plot_directions"},
    "analysis/separation.py": {"separate_groups"},
    "analysis/models.py": {"compare_models", "plot_comparison", "write_report"},
    "analysis/paired.py": {
        "compare_models",
        "decode_directions",
        "evaluate_heads",
        "evaluate_task",
        "plot_comparison",
        "write_report",
    },
    "analysis/groups.py": {"separate_groups", "embed_latents", "plot_latents", "fit_rate_norms"},
    "analysis/sites/audit.py": {"audit_sites", "measure_site_steps"},
    "analysis/sites/steps.py": {"measure_site_steps"},
    "analysis/anomaly.py": {"compare_regions", "find_anomalies", *MAP_ERRORS},
    "analysis/norms/tables.py": {"fit_norms", "fit_rate_norms"},
    "analysis/norms/rates.py": {"fit_rate_norms"},
    "analysis/norms/scores.py": {"fit_norms", "fit_rate_norms", "plot_norms", "write_report"},
    "analysis/tasks/confounds.py": {"evaluate_task"},
    "analysis/tasks/evaluation.py": {"evaluate_task"},
    "analysis/tasks/volumes.py": {"evaluate_task"},
    "aging/errors.py": {"control_forecasts", "score_forecasts"},
    "aging/volumes.py": {
        "control_forecasts",
        "fit_rates",
        "score_forecasts",
        "measure_predictions",
    },
    "aging/evaluation/matched.py": {"score_forecasts"},
    "aging/methods/bayes.py": {
        "control_forecasts",
        "fit_rates",
        "forecast_scans",
        "interpolate_scans",
        "load_bundle",
        "predict_scans",
        "score_forecasts",
        "measure_predictions",
    },
    "aging/linearity.py": {"measure_linearity"},
    "aging/elsewhere.py": {"forecast_scans"},
    "aging/warping.py": {"forecast_scans"},
    "aging/evaluation/control.py": {"control_forecasts"},
    "aging/evaluation/groups.py": {"score_forecasts"},
    "aging/evaluation/images.py": {"judge_forecast_images", "summarise_forecast_images"},
    "segmentation/synthseg/gates.py": SEGMENT,
    # part of a model's code where volumes select its weights
    "segmentation/embedded/judge.py": set(),
    "segmentation/embedded/posteriors.py": {"simulate_dataset", *SEGMENT},
    "segmenter/synthesis.py": {"train_segmenter", "draw_brains"},
    "segmenter/deformation.py": {"place_label_maps", "train_segmenter", "draw_brains"},
    "figures/models/latents.py": {"plot_latents"},
    "figures/ageing/norms.py": {"plot_norms", "write_report"},
    "figures/style.py": {*PLOTS, "write_report", "write_quality_page", *VIEWERS},
    "figures/page/report.py": {"write_report"},
    "figures/page/review.py": {"write_quality_page"},
    "figures/page/review.html.j2": {"write_quality_page"},
    "figures/viewer/people.py": VIEWERS,
    "figures/viewer/curves.js": VIEWERS,
    "figures/viewer/requested.py": {"view_predictions"},
    "config.py": set(),
    "runtime.py": set(),
    "provenance.py": set(),
}


def fingerprints(root):
    scripts = sorted((root / "workflow/scripts").glob("*.py"))
    makes_results = (script for script in scripts if script.stem != "look_at_run")
    return {script.stem: code_fingerprint(script, root=root) for script in makes_results}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the source, to be edited."""
    root = tmp_path_factory.mktemp("source")
    for name in ("brainlapse", "workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def edit(copy):
    """Append to a file of the copy; undone afterwards."""
    saved = {}

    def append(module, text):
        path = copy / module
        saved.setdefault(path, path.read_text())
        path.write_text(saved[path] + text)

    yield append
    for path, text in saved.items():
        path.write_text(text)


@pytest.mark.parametrize("module", EDITS)
def test_edit_changes_the_code_of_exactly_these_rules(copy, edit, module):
    before = fingerprints(copy)
    edit(f"brainlapse/{module}", "\n\nEDITED = 1\n")
    after = fingerprints(copy)
    assert {name for name in before if before[name] != after[name]} == EDITS[module]


def test_comments_change_no_code(copy, edit):
    before = fingerprints(copy)
    for path in sorted((copy / "brainlapse").rglob("*.py")):
        edit(path.relative_to(copy), "\n\n# a remark\n")
    assert fingerprints(copy) == before


@pytest.mark.slow
class TestPlannedJobs:
    """What Snakemake itself would run in a finished folder."""

    def plan(self, snakemake, copy, finished_run, *more):
        arguments = ("-n", "--cores", 2, "--configfile", finished_run.config, *more)
        done = snakemake(finished_run.folder, *arguments, source=copy)
        return planned_rules(done.stdout) - {"all"}

    @pytest.fixture
    def plan_with(self, snakemake, copy, finished_run, tmp_path):
        """Plan with some lines of configuration over those of the run."""

        def plan_with(settings):
            overlay = tmp_path / "overlay.yaml"
            overlay.write_text(settings)
            files = ("--configfile", finished_run.config, overlay)
            return self.plan(snakemake, copy, finished_run, *files)

        return plan_with

    def test_fresh_clone_and_touched_files_run_nothing(self, snakemake, copy, finished_run):
        for path in copy.rglob("*"):
            path.touch()
        assert self.plan(snakemake, copy, finished_run) == set()

    def test_raw_data_copied_anew_run_nothing(self, snakemake, copy, finished_run):
        clinic = finished_run.folder / CLINIC
        shutil.rmtree(clinic.with_name("moved"), ignore_errors=True)  # of a run that was kept
        moved = clinic.rename(clinic.with_name("moved"))
        shutil.copytree(moved, clinic, symlinks=True)  # new time stamps and inodes
        for path in clinic.rglob("*"):
            if path.is_file():
                path.touch()
        arguments = ("cohort", "--cores", 2, "--configfile", finished_run.config)
        done = snakemake(finished_run.folder, *arguments, source=copy)
        assert "build_cohort" in planned_rules(done.stdout)
        assert self.plan(snakemake, copy, finished_run) == set()

    def test_docstring_edit_runs_nothing(self, snakemake, copy, finished_run, edit):
        path = copy / "brainlapse/training/loop/losses.py"
        edit("brainlapse/training/loop/losses.py", "")
        path.write_text(path.read_text().replace('"""', '"""Rewritten. ', 1))
        assert self.plan(snakemake, copy, finished_run) == set()

    def test_edit_of_the_losses_trains_again_and_all_that_follows(
        self, snakemake, copy, finished_run, edit
    ):
        edit("brainlapse/training/loop/losses.py", "\n\nEDITED = 1\n")
        planned = self.plan(snakemake, copy, finished_run)
        follows = {"train_autoencoder", *DECODE, "reduce_latents", "evaluate_task"}
        follows -= {"predict_scans"}  # only where someone asks
        assert follows | {"segment_decoded", "collect_volumes", "score_forecasts"} <= planned
        assert planned & {*PREPROCESS, "build_cohort", "segment_real", "plot_cohort"} == set()

    def test_edit_of_a_plot_redraws(self, snakemake, copy, finished_run, edit):
        edit("brainlapse/figures/models/latents.py", "\n\nEDITED = 1\n")
        planned = self.plan(snakemake, copy, finished_run)
        assert planned == {"plot_latents", "write_report"}

    def test_edit_of_the_errors_scores_again(self, snakemake, copy, finished_run, edit):
        edit("brainlapse/aging/errors.py", "\n\nEDITED = 1\n")
        planned = self.plan(snakemake, copy, finished_run)
        shown = {"plot_forecasts", "write_report", "write_viewer"}
        tables = {"score_forecasts", "control_forecasts", "compare_models", "write_derivatives"}
        assert planned == {*tables, *shown}

    def test_setting_of_a_level_leaves_masks_and_bias(self, plan_with):
        levels = RegistrationSettings().model_dump(mode="json")["levels"]
        levels[1]["sampling"] = 0.06
        planned = plan_with(yaml.safe_dump({"preprocess": {"registration": {"levels": levels}}}))
        assert "register_brain" in planned
        assert planned & {"mask_brain", "correct_bias"} == set()

    def test_setting_of_ageing_does_not_train(self, plan_with):
        planned = plan_with("aging: {anchor: mean}\n")
        assert "forecast_scans" in planned
        assert planned & {*PREPROCESS, "train_autoencoder", "encode_scans", "segment_real"} == set()

    def test_error_maps_are_added_to_what_stands(self, plan_with):
        planned = plan_with("analysis: {error_maps: true}\n")
        assert planned == {*MAP_ERRORS, "write_report"}

    def test_a_map_of_neighbours_is_added_to_what_stands(self, plan_with):
        planned = plan_with("analysis: {umap: true}\n")
        assert planned == {"embed_latents", "plot_latents", "write_report"}

    def test_setting_of_intensity_keeps_registration(self, plan_with):
        planned = plan_with("preprocess: {intensity: {upper_level: 0.8}}\n")
        assert "place_brain" in planned
        after = {"place_brain", "align_visit", "measure_quality"}  # a later visit shares its scale
        assert planned & (PREPROCESS - after) == set()

    @pytest.mark.parametrize("visit", ["last", "first"])
    def test_decisions_judge_again_and_measure_only_what_joins_another(
        self, snakemake, copy, finished_run, visit
    ):
        """Nothing depends on a later visit; without the first, the later ones join the second."""
        quality = finished_run.table("preprocess/qc.tsv")
        person = quality[(quality["dataset"] == "tiny") & (quality["subject"] == "sub-01")]
        scan = person.iloc[{"first": 0, "last": -1}[visit]]
        review = finished_run.results / "qc_review.tsv"
        review.write_text(
            f"dataset\tscan\tdecision\tnote\n{scan['dataset']}\t{scan['scan']}\texclude\tmoved\n"
        )
        try:
            planned = self.plan(snakemake, copy, finished_run)
        finally:
            review.unlink()
        assert "collect_quality" in planned
        assert planned & {"mask_brain", "correct_bias", "build_cohort", "plot_cohort"} == set()
        again = {"register_brain", "align_visit", "place_brain", "measure_quality"}
        assert planned & set(PREPROCESS) == {"last": set(), "first": again}[visit]

    def test_thresholds_judge_again_and_measure_nothing(self, plan_with):
        planned = plan_with("preprocess: {quality: {outlier_z: 5.0}}\n")
        assert "collect_quality" in planned
        assert planned & {*PREPROCESS, "build_cohort", "plot_cohort"} == set()
