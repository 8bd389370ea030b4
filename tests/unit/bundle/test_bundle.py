"""A bundle gives the model back; one that was changed is refused in a sentence."""

import hashlib
import json
import shutil
import stat
import zipfile

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load, save

from brainlapse.bundle import files
from brainlapse.bundle.__main__ import main
from brainlapse.bundle.card import contract_settings
from brainlapse.bundle.export import Request, export_bundle
from brainlapse.bundle.files import MANIFEST, BundleError
from brainlapse.bundle.reading import check_example, read_bundle
from brainlapse.config import load_config
from brainlapse.latents import read_latents
from brainlapse.preprocessing.quality.collection import describe_contract
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.space import SpaceSettings
from brainlapse.training.model.trained import (
    ContractMismatch,
    binding_parts,
    check_contract,
    load_model,
)

CPU = torch.device("cpu")


@pytest.fixture
def folder(exported, tmp_path):
    return shutil.copytree(exported / "small", tmp_path / "small")


def reseal(folder):
    """Make the manifest agree with what the files are now, as a forger would."""
    contents = {name: (folder / name).read_bytes() for name in files.LIMITS}
    (folder / MANIFEST).write_bytes(files.describe(contents))


@pytest.mark.parametrize("name", ["small", "small.zip"])
def test_a_bundle_gives_the_model_back(exported, results, name):
    bundle = read_bundle(exported / name)
    own = load_model(results / "autoencoder/small").state_dict()
    assert set(bundle.weights) == set(own)
    assert all(torch.equal(bundle.weights[key], own[key]) for key in own)
    assert check_example(bundle, CPU) < 1e-4
    assert bundle.history["train_l1"].tolist() == [0.3, 0.1]
    assert bundle.card["trained_on"] == {"ixi, train": {"scans": 2, "subjects": 1}}
    assert not bundle.build().training
    latents, _index = read_latents(results / "latents/small")
    training = latents[:2].reshape(2, -1)  # the third is flagged
    np.testing.assert_allclose(bundle.components.centre, training.mean(axis=0), rtol=1e-5)
    scores = bundle.components.project(latents)
    distance = np.linalg.norm(training[0] - training[1])
    assert abs(scores[0, 0] - scores[1, 0]) == pytest.approx(distance, rel=1e-4)


def test_equal_models_give_equal_files(exported, results, tmp_path):
    export_bundle(Request(results, "small", licence="CC BY 4.0"), tmp_path / "small.zip")
    assert (tmp_path / "small.zip").read_bytes() == (exported / "small.zip").read_bytes()


def test_the_example_is_the_template_unless_a_scan_is_named(exported, results, tmp_path):
    volume = read_bundle(exported / "small").volume
    assert 0.2 < (volume > 0).mean() < 0.6
    assert 0.8 < np.percentile(volume[volume > 0], 90) < 0.95  # white matter, as in scans
    export_bundle(Request(results, "small", example="ixi/sub-3"), tmp_path / "b")
    expected = np.random.default_rng(0).random((32, 32, 32), dtype=np.float32)
    np.testing.assert_array_equal(read_bundle(tmp_path / "b").volume, expected)
    assert "person's scan" in (tmp_path / "b/README.md").read_text()
    with pytest.raises(BundleError, match=r"expected the scan 'sub-3'.*'ixi/sub-1_ses-1'"):
        export_bundle(Request(results, "small", example="sub-3"), tmp_path / "c")


def test_the_settings_that_travel_reproduce_the_contract(folder):
    fragment = yaml.safe_load((folder / "config.yaml").read_text())
    contract = describe_contract(
        SpaceSettings.model_validate(fragment["space"]),
        PreprocessSettings.model_validate(fragment["preprocess"]),
    )
    assert binding_parts(contract) == binding_parts(read_bundle(folder).contract)
    config = load_config({**fragment, "datasets": {"mine": {"bids": "/data", "role": "apply"}}})
    assert config["autoencoders"]["small"]["bundle"] == "small"


def add_settings(change):
    """Change config.yaml as one who wants it to be given to Snakemake."""

    def forge(folder):
        path = folder / "config.yaml"
        settings = yaml.safe_load(path.read_text())
        change(settings)
        path.write_text(yaml.safe_dump(settings))

    return forge


@pytest.mark.parametrize(
    "forge",
    [
        add_settings(lambda s: s.update({"__use_yte__": True, "?__import__('os').abort()": 1})),
        add_settings(lambda s: s.update({"__use_yte__": True})),
        add_settings(lambda s: s.update(output="/home/you")),
        add_settings(lambda s: s.update(segmentation={"backend": "native", "binary": "rm"})),
        add_settings(lambda s: s["preprocess"]["mask"].update(synthstrip={"binary": "rm"})),
        add_settings(lambda s: s["preprocess"]["bias"].update(iterations=[1])),
        add_settings(lambda s: s["space"].update(voxel_mm=1.0)),
        add_settings(lambda s: s["autoencoders"]["small"].update(start="/home/you")),
        add_settings(lambda s: s["autoencoders"].update(more={"bundle": "x"})),
        lambda f: (f / "config.yaml").write_text("!!python/object/apply:os.abort []"),
        lambda f: (f / "config.yaml").write_text("[" * 5000),
        lambda f: (f / "config.yaml").write_text("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]"),
        lambda f: (f / "config.yaml").write_bytes(b"\xff\xfe\x00"),
    ],
)
def test_settings_that_are_not_the_contracts_are_refused(folder, forge):
    forge(folder)
    reseal(folder)
    with pytest.raises(BundleError, match=r"config\.yaml: expected .*settings of the contract"):
        read_bundle(folder)


def test_the_command_derives_the_settings_from_the_contract(folder, capsys):
    assert main(["settings", str(folder)]) == 0
    settings = yaml.safe_load(capsys.readouterr().out)
    assert settings.pop("autoencoders") == {"small": {"bundle": str(folder)}}
    assert settings == contract_settings(read_bundle(folder).contract)


def test_a_contract_names_no_program(folder):
    contract = json.loads((folder / "contract.json").read_text())
    contract["mask"]["synthstrip"] = {"binary": "/bin/rm", "container_options": ["--privileged"]}
    settings = contract_settings(contract)
    assert "synthstrip" not in settings["preprocess"]["mask"]
    assert "/bin/rm" not in json.dumps(settings)


@pytest.mark.parametrize("depth", [50, 100_000])
def test_nested_json_is_refused(folder, depth):
    text = '{"format": 1, "deep": ' + "[" * depth + "]" * depth + "}"
    (folder / "config.json").write_text(text)
    reseal(folder)
    with pytest.raises(BundleError, match=r"config\.json: expected"):
        read_bundle(folder)


def test_what_stands_for_much_more_than_it_is_is_not_read(exported, folder, tmp_path, monkeypatch):
    """A zip of zeros, and a file of holes, as large as their lists say."""
    monkeypatch.setattr(files, "SMALL", files.MEGABYTE)
    zeros = bytes(200 * files.MEGABYTE)

    def inflate(info, content):
        return zeros if info.filename == "model.safetensors" else content

    rewrite(exported / "small.zip", tmp_path / "bomb.zip", inflate)
    assert (tmp_path / "bomb.zip").stat().st_size < 2 * files.MEGABYTE
    with open(folder / "model.safetensors", "wb") as file:
        file.truncate(len(zeros))
    for source in (tmp_path / "bomb.zip", folder):
        with pytest.raises(BundleError, match=r"model\.safetensors: expected at most"):
            read_bundle(source)


def test_the_card_says_where_it_comes_from(folder):
    text = (folder / "README.md").read_text()
    for words in ("ixi, train | 2 | 1", "0.8123", "CC BY 4.0", "seed | 7", torch.__version__,
                  "Louis Collins"):  # fmt: skip
        assert words in text, words


def test_scans_of_another_contract_are_refused(folder):
    bundle = read_bundle(folder)
    other = {**bundle.contract, "mask": {"method": "synthstrip"}}
    with pytest.raises(ContractMismatch, match="mask: expected"):
        check_contract(bundle.card, other, folder)


@pytest.mark.parametrize("name", [*files.LIMITS])
def test_a_changed_file_is_refused_by_name(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name}: expected SHA-256 .* get it again"):
        read_bundle(folder)


def change_card(folder, change):
    card = json.loads((folder / "config.json").read_text())
    change(card)
    (folder / "config.json").write_text(json.dumps(card))


def scale_weights(folder):
    weights = load((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors").write_bytes(save({k: 1.2 * v for k, v in weights.items()}))


def change_components(folder, change):
    path = folder / "components.safetensors"
    parts = load(path.read_bytes())
    change(parts)
    path.write_bytes(save(parts))


def pickle_weights(folder):
    torch.save({"a": torch.ones(2)}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (lambda f: change_card(f, lambda c: c["settings"]["network"].update(channels=[16])), "fit"),
        (lambda f: change_card(f, lambda c: c["settings"]["network"].update(channels=[10**9])),
         "channels"),
        (lambda f: change_card(f, lambda c: c["settings"]["network"].update(code="x")), "code"),
        (lambda f: change_card(f, lambda c: c["grid"].update(shape=[9999] * 3)), "shape"),
        (lambda f: change_card(f, lambda c: c["grid"].update(shape=[16] * 3)), "example"),
        (lambda f: change_card(f, lambda c: c["contract"].update(mask={})), "json differs"),
        (lambda f: change_card(f, lambda c: c.update(format=99)), "format 99"),
        (lambda f: (f / "config.json").write_text("[1]"), "JSON object"),
        (pickle_weights, "expected a safetensors file"),
        (lambda f: change_components(f, lambda c: c.update(centre=c["centre"][:-1].clone())),
         "components.safetensors: expected finite"),
        (lambda f: change_components(f, lambda c: c["centre"].fill_(torch.nan)),
         "components.safetensors: expected finite"),
        (lambda f: change_components(f, lambda c: c.update(more=torch.ones(1))),
         "components.safetensors: expected principal components"),
        (lambda f: change_components(f, lambda c: c.update(
            centre=torch.ones(3), directions=torch.ones(1, 3))), "centre of the components"),
        (lambda f: (f / "components.safetensors").write_bytes(b"no"), "expected principal"),
        (lambda f: (f / "rates.safetensors").write_bytes(b"no"), "expected fitted rates"),
        (lambda f: change_card(f, lambda c: c.update(rates=["bayes"])), "config.json lists"),
        (scale_weights, "example's latent"),
    ],
)  # fmt: skip
def test_forged_parts_that_do_not_fit_are_refused(folder, forge, expected):
    forge(folder)
    reseal(folder)
    with pytest.raises(BundleError, match=expected) as refused:
        check_example(read_bundle(folder), CPU)
    assert "small" in str(refused.value)


def test_files_that_do_not_belong_are_refused(folder):
    (folder / "run.py").write_text("print()")
    with pytest.raises(BundleError, match=r"'run\.py'"):
        read_bundle(folder)
    (folder / "run.py").unlink()
    (folder / "README.md").unlink()
    with pytest.raises(BundleError, match=r"README\.md, which is missing"):
        read_bundle(folder)
    (folder / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match="plain file"):
        read_bundle(folder)
    with pytest.raises(BundleError, match="found nothing there"):
        read_bundle(folder / "nowhere")


@pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "sub/model.safetensors", "a\\b"])
def test_a_zip_that_reaches_out_is_refused_and_writes_nothing(exported, tmp_path, name):
    path = shutil.copy(exported / "small.zip", tmp_path / "bundle.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    before = sorted(tmp_path.parent.rglob("*"))
    with pytest.raises(BundleError, match="expected the files of a bundle only"):
        read_bundle(path)
    assert sorted(tmp_path.parent.rglob("*")) == before


def rewrite(source, target, change):
    """Copy a zip file member by member."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            info = zipfile.ZipInfo(member.filename)
            content = change(info, old.read(member))
            new.writestr(info, content, zipfile.ZIP_DEFLATED)


def test_links_twins_bombs_and_torn_zips_are_refused(exported, tmp_path, monkeypatch):
    source, path = exported / "small.zip", tmp_path / "bundle.zip"

    def link(info, content):
        if info.filename == "README.md":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
        return content

    rewrite(source, path, link)
    with pytest.raises(BundleError, match="a plain file"):
        read_bundle(path)
    rewrite(source, path, lambda info, content: content)
    read_bundle(path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README.md", "twice")
    with pytest.raises(BundleError, match="each file once"):
        read_bundle(path)
    bomb = b"0" * 2 * files.MEGABYTE  # a thousandth of that in the zip
    rewrite(source, path, lambda i, content: bomb if i.filename == "config.yaml" else content)
    with pytest.raises(BundleError, match=r"config\.yaml: expected at most"):
        read_bundle(path)
    path.write_bytes(source.read_bytes()[:-200])
    with pytest.raises(BundleError, match="whole zip file"):
        read_bundle(path)


def test_a_manifest_that_lists_nothing_is_refused(folder):
    (folder / MANIFEST).write_text(json.dumps({"format": 1, "files": None}))
    with pytest.raises(BundleError, match="SHA-256"):
        read_bundle(folder)


def test_the_command_exports_and_checks(results, tmp_path, capsys):
    target = tmp_path / "given.zip"
    assert main(["export", "--results", str(results), "--model", "small", "--to", str(target)]) == 0
    assert main(["check", str(target)]) == 0
    assert "comes out again" in capsys.readouterr().out
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.write_bytes(target.read_bytes()[:-50])
    assert main(["check", str(target)]) == 1
    assert "whole zip file" in capsys.readouterr().err
    wrong = ["export", "--results", str(results), "--model", "none", "--to", str(target)]
    assert main(wrong) == 1
    assert "expected a finished model" in capsys.readouterr().err
    assert hashlib.sha256(target.read_bytes()).hexdigest() != digest


def test_a_folder_with_something_in_it_is_left_alone(results, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BundleError, match="new or empty folder"):
        export_bundle(Request(results, "small"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
