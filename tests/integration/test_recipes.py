"""The recipes of the two papers: valid as they are, and run to the report at reduced size."""

import pytest
import yaml

from brainlapse.config import ConfigError, load_config
from tests.conftest import ROOT, planned_rules, run_snakemake
from tests.integration.cohorts import some_of

RECIPES = {"mrextrap": ["adni"], "down_syndrome": ["ixi", "hcp", "clinic"]}
TRAINING = {"epochs": 3, "steps": 6, "batch_size": 2}


def recipe(name):
    return yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())


def some_heads(name, finished_run, heads, folder):
    """Data sets of the recipe: three visits of people, or some people each, one visit."""
    if name == "mrextrap":
        return {"adni": {"bids": str(finished_run.results / "simulated/tiny")}}
    splits = {
        "ixi": {"sub-01": "train", "sub-02": "train", "sub-03": "validation", "sub-04": "test"},
        "hcp": {"sub-05": "train", "sub-06": "test"},
        "clinic": {"sub-07": "n/a", "sub-08": "n/a"},
    }
    return {
        dataset: {"bids": some_of(heads, people, 1, folder / dataset)}
        for dataset, people in splits.items()
    }


def reduced(name, folder, sources):
    """The recipe on other data sets: a coarse grid, narrow networks, one of each family.

    The other recipe runs the family `kl`.
    """
    config = recipe(name)
    for dataset, source in sources.items():
        del config["datasets"][dataset]["bids"]
        config["datasets"][dataset] |= source
    config["space"] = {"voxel_mm": 4.0, "shape": [48, 48, 48]}
    masks = {"mask": {"network_voxels": 192}}  # enough for heads of 3 mm
    config["preprocess"] = {**config.get("preprocess", {}), **masks}
    config["output"] = str(folder / "results")
    config["segmentation"] = {"backend": "embedded", "fast": True}
    config["analysis"] = {"components": 3, "folds": 2, "min_subjects": 2, "bootstrap_samples": 20}
    config["report"] = {**config.get("report", {}), "repeated_scans": 0}
    mixed = {"alphas": [0.0, 0.5, 1.0], "interpolation_subjects": 1}
    config["aging"] = {**config.get("aging", {}), **mixed}
    families = {model["network"]["family"]: name for name, model in config["autoencoders"].items()}
    if name == "down_syndrome":
        del families["kl"]
    config["autoencoders"] = {name: config["autoencoders"][name] for name in families.values()}
    for model in config["autoencoders"].values():
        if model["network"]["family"] == "pca":
            model["network"]["latent_size"] = 4
            continue
        model["training"] = TRAINING
        model["loss"] = {**model.get("loss", {}), "perceptual": {"network": "none"}}
        model["network"] = narrow(model["network"])
    for task in config["tasks"]:
        task.pop("classes", None)
        task.pop("positive", None)
    return config


def narrow(network):
    levels = {"kl": [8, 8, 16, 16], "vector": [16, 16, 16]}[network["family"]]
    return {**network, "channels": levels, "residual_blocks": 1}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder in which the weights of LPIPS stand, which the user places there."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/lpips_alex.safetensors").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_valid_and_names_its_data_sets(name):
    config = load_config(recipe(name))
    assert list(config["datasets"]) == RECIPES[name]


def test_missing_lpips_weights_are_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"lpips needs the file .* or set network: segmenter"):
        load_config(recipe("mrextrap"))


@pytest.mark.usefixtures("weights")
def test_mrextrap_says_what_the_paper_says():
    model = load_config(recipe("mrextrap"))["autoencoders"]["mrextrap"]
    loss = model["loss"]
    assert model["network"]["family"] == "kl"
    assert model["network"]["latent_channels"] == 4
    assert (loss["perceptual"]["network"], loss["perceptual"]["weight"]) == ("lpips", 1)
    assert (loss["adversarial_weight"], loss["kl_weight"]) == (1e-3, 1e-6)
    assert (loss["adversarial_start_epoch"], model["training"]["epochs"]) == (100, 230)


@pytest.mark.parametrize("name", RECIPES)
def test_reduced_recipe_is_planned_to_the_report(name, tmp_path):
    path = tmp_path / "reduced.yaml"
    drawn = {"subjects": 4, "sessions": 3, "voxel_mm": 3.0}
    sets = {each: {"simulate": {**drawn, "seed": n}} for n, each in enumerate(RECIPES[name])}
    config = reduced(name, tmp_path, sets)
    path.write_text(yaml.safe_dump(config))
    done = run_snakemake(tmp_path, "-n", "--configfile", path)
    assert "simulate_dataset" in planned_rules(done.stdout)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", RECIPES)
def test_reduced_recipe_runs_to_the_report(name, finished_run, heads, tmp_path):
    path = tmp_path / "reduced.yaml"
    config = reduced(name, tmp_path, some_heads(name, finished_run, heads, tmp_path))
    path.write_text(yaml.safe_dump(config))
    run_snakemake(tmp_path, "--cores", 2, "--configfile", path)
    page = (tmp_path / "results/report/index.html").read_text()
    for model in config["autoencoders"]:
        assert f"{model} reconstructs" in page
    assert (tmp_path / "results/report/viewer.html").stat().st_size > 1e6
