"""The methods text says what the run was told to do, and cites what its bibliography holds."""

import re

import yaml

from brainlapse.config import load_config
from brainlapse.figures.page import methods
from brainlapse.figures.page.sections import Run
from tests.conftest import ROOT
from tests.unit.figures import fake_run

VERSIONS = {"brainlapse": "1.2", "torch": "2.0"}


def shipped(**changes):
    path = next(p for p in (ROOT / "config.yaml", ROOT / "configs/demo.yaml") if p.is_file())
    return load_config(yaml.safe_load(path.read_text()) | changes)


def written(root, config):
    fake_run.write_tables(root, model=next(iter(config["autoencoders"])))
    run = Run(root, tuple(config["autoencoders"]), tuple(config["tasks"]), {})
    return methods.text(run, config, VERSIONS)


def test_text_holds_settings_counts_and_versions(tmp_path):
    text = written(tmp_path, shipped())
    assert "36 scans" not in text  # two data sets are counted apart
    assert "demo (27 scans of 9 people)" in text
    assert "clinic (9 scans of 3 people)" in text
    assert "2.5 mm voxels (64 x 80 x 64)" in text
    assert "accepted 34 scans, flagged 1" in text
    assert "torch 2.0" in text
    assert "train split (at most 40 people, one scan each)" in text


def test_another_configuration_gives_another_text(tmp_path):
    models = {"klae": {"network": {"family": "kl"}}}
    text = written(tmp_path, shipped(autoencoders=models, segmentation={"backend": "docker"}))
    assert "AutoencoderKL" in text
    assert "patch-adversarial (weight 0.001)" in text
    assert "segmented by SynthSeg" in text


def test_what_a_task_is_fitted_on_is_said(tmp_path):
    task = {"name": "dx", "target": "diagnosis", "kind": "classification"}
    tasks = [task | {"train_datasets": ["demo"]}, task | {"name": "site", "leave_out": "site"}]
    text = written(tmp_path, shipped(tasks=tasks))
    assert "dx (classification, fitted on demo and judged on the other data sets)" in text
    assert "site (classification, each site held out in turn)" in text
    assert "Penalties were tuned by inner folds" in text


def test_references_are_those_cited(tmp_path):
    text = written(tmp_path, shipped())
    cited = set(re.findall(r"@(\w+)", text))
    entries = set(re.findall(r"@\w+\{(\w+),", methods.references(text)))
    assert entries == cited
    assert {"brainlapse", "n4", "icbm152", "deepbet", "kapoor"} <= cited
    assert methods.references(text).count("{") == methods.references(text).count("}")


def test_heads_are_told_of(tmp_path):
    heads = {"tasks": ["sex", "age"]}
    config = load_config(
        {
            "datasets": {"d": {"simulate": {}}},
            "autoencoders": {"one": {"heads": heads}},
            "tasks": [{"name": n, "target": n, "kind": "classification"} for n in ("sex", "age")],
        }
    )
    text = methods.text(Run(tmp_path, ("one",), (), {}), config, VERSIONS)
    assert "Linear heads for sex, age on the pooled latent mean" in text


def test_unfinished_run_gives_the_text_of_what_there_is(tmp_path):
    run = Run(tmp_path, ("one",), (), {})
    text = methods.text(run, {}, VERSIONS)
    assert text.startswith("No scan passed")
    assert "brainlapse 1.2" in text
