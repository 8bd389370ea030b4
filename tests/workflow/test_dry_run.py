"""The graph of every kind of data set, on zero-byte images, and of bad configurations."""

import re
import zipfile

import pytest
import yaml

from brainlapse.bundle.files import LIMITS, MANIFEST
from tests.conftest import planned_rules

LAYOUTS = {
    "flat": ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii"],
    "sessions": [
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz",
    ],
    "entities": [
        "sub-01/anat/sub-01_acq-a_run-1_T1w.nii.gz",
        "sub-01/anat/sub-01_run-2_T1w.nii.gz",
    ],
    "spaces and 'quotes'": ["sub-01/anat/sub-01_T1w.nii.gz"],
}


def make_dataset(folder, images):
    for image in images:
        path = folder / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "participants.tsv").write_text("participant_id\tage\nsub-01\t50\n")
    return str(folder)


def write_config(folder, datasets, **more):
    path = folder / "my config.yaml"
    path.write_text(yaml.safe_dump({"datasets": datasets, **more}))
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_graph_of_a_bids_folder(tmp_path, snakemake, layout):
    bids = make_dataset(tmp_path / layout, LAYOUTS[layout])
    config = write_config(tmp_path, {"mine": {"bids": bids}})
    done = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", config)
    rules = planned_rules(done.stdout)
    assert {"build_cohort", "collect_quality", "train_autoencoder", "write_report"} <= rules
    assert "simulate_dataset" not in rules
    assert not any(image in done.stdout for image in LAYOUTS[layout]), "a raw file is an input"


def test_several_datasets_join_one_graph(tmp_path, snakemake):
    datasets = {
        name: {"bids": make_dataset(tmp_path / name, LAYOUTS[name]), "role": role}
        for name, role in (("flat", "fit"), ("sessions", "apply"))
    }
    config = write_config(tmp_path, datasets)
    done = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", config)
    assert {"build_cohort", "collect_quality"} <= planned_rules(done.stdout)


def test_heads_bring_their_labels_and_their_judge(tmp_path, snakemake):
    bids = make_dataset(tmp_path / "flat", LAYOUTS["flat"])
    models = {"taught": {"heads": {"tasks": ["age"]}}, "plain": {}}
    tasks = [{"name": name, "target": name, "kind": "regression"} for name in ("age", "score")]
    config = write_config(tmp_path, {"mine": {"bids": bids}}, autoencoders=models, tasks=tasks)
    done = snakemake(tmp_path, "analyse", "--cores", 1, "-n", "--configfile", config)
    assert {"collect_labels", "evaluate_heads"} <= planned_rules(done.stdout)
    assert done.stdout.count("rule collect_labels:") == 1, "labels for a model without heads"
    assert done.stdout.count("rule evaluate_heads:") == 2
    plain = {"plain": models["plain"]}
    config = write_config(tmp_path, {"mine": {"bids": bids}}, autoencoders=plain, tasks=tasks)
    done = snakemake(tmp_path, "analyse", "--cores", 1, "-n", "--configfile", config)
    assert not {"collect_labels", "evaluate_heads"} & planned_rules(done.stdout)


def test_a_bundle_takes_the_place_of_training(tmp_path, snakemake):
    bids = make_dataset(tmp_path / "flat", LAYOUTS["flat"])
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as archive:
        for name in (*LIMITS, MANIFEST):
            archive.writestr(name, "")
    models = {"given": {"bundle": "given.zip"}, "own": {"network": {"channels": [8]}}}
    config = write_config(tmp_path, {"mine": {"bids": bids}}, autoencoders=models)
    done = snakemake(tmp_path, "train", "--cores", 1, "-n", "--configfile", config)
    assert {"load_bundle", "train_autoencoder"} <= planned_rules(done.stdout)
    alone = {"mine": {"bids": bids, "role": "apply"}}
    config = write_config(tmp_path, alone, autoencoders={"given": models["given"]})
    done = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", config)
    assert "train_autoencoder" not in planned_rules(done.stdout)
    config = write_config(tmp_path, alone, autoencoders={"given": {"bundle": "nowhere"}})
    done = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", config, check=False)
    assert "autoencoders.given.bundle: nowhere: expected a folder or .zip file" in done.stdout
    assert 'File "' not in done.stdout, "frames of Snakemake"


def test_only_a_training_on_several_nodes_asks_for_them(tmp_path, snakemake):
    bids = make_dataset(tmp_path / "flat", LAYOUTS["flat"])
    asked = {}
    for name, training in (("one", {"devices": 2}), ("several", {"nodes": 3, "devices": 2})):
        models = {name: {"training": {"batch_size": 6, **training}}}
        config = write_config(tmp_path, {"mine": {"bids": bids}}, autoencoders=models)
        done = snakemake(tmp_path, "train", "--cores", 1, "-n", "--configfile", config)
        text = done.stdout.partition("\nrule train_autoencoder:")[2]
        resources = re.search(r"resources: (.*)", text)[1].split(", ")
        asked[name] = dict(item.split("=", 1) for item in resources)
    assert asked["one"]["gpu"] == "2"
    assert not {"nodes", "tasks", "tasks_per_gpu", "gres", "mpi"} & set(asked["one"])
    expected = {"gpu": "0", "gres": "gpu:2", "nodes": "3", "tasks": "3", "tasks_per_gpu": "0"}
    assert expected.items() | {("mpi", "srun")} <= asked["several"].items()


@pytest.mark.parametrize(
    "target",
    ["cohort", "preprocess", "train", "encode", "analyse", "predict", "volumes", "age", "report"],
)
def test_every_named_target_exists(tmp_path, snakemake, target):
    done = snakemake(tmp_path, target, "--cores", 1, "-n")
    assert "build_cohort" in planned_rules(done.stdout)


def test_shipped_config_as_users_type_it(tmp_path, snakemake):
    done = snakemake(tmp_path, "-n", "--cores", 8, "--resources", "gpu=1")
    assert "simulate_dataset" in planned_rules(done.stdout)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sede": 1}, "sede: unknown key"),
        ({"space": {"voxel_mm": 99}}, "space.voxel_mm"),
        ({"space": {"shape": [62, 80, 64]}}, "divisible by 4"),
        (
            {"autoencoders": {"a": {"bundle": "b", "training": {"steps": 9}}}},
            "autoencoders.a.training: a model from a bundle brings its own settings",
        ),
    ],
)
def test_bad_config_stops_before_any_job(tmp_path, snakemake, more, expected):
    config = write_config(tmp_path, {"mine": {"bids": str(tmp_path)}}, **more)
    done = snakemake(tmp_path, "--cores", 1, "--configfile", config, check=False)
    assert done.returncode != 0
    assert expected in done.stdout
    assert not (tmp_path / "results").exists()


def test_missing_dataset_folder_is_named(tmp_path, snakemake):
    config = write_config(tmp_path, {"mine": {"bids": str(tmp_path / "nowhere")}})
    done = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", config, check=False)
    assert done.returncode != 0
    assert "nowhere" in done.stdout
