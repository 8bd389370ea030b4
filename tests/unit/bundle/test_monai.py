"""MONAI's own parser builds the network of an exported bundle, which gives the example back."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from monai.bundle import ConfigParser

from brainlapse.bundle.__main__ import main
from brainlapse.bundle.export import Request, export_bundle
from brainlapse.bundle.reading import read_bundle
from brainlapse.images import save_volume
from brainlapse.runtime import write_table


@pytest.fixture(scope="module")
def laid_out(exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("monai") / "bundle"
    assert main(["monai", str(exported / "small.zip"), "--to", str(folder)]) == 0
    return folder


def parser(folder):
    found = ConfigParser()
    found.read_meta(str(folder / "configs/metadata.json"))
    found.read_config(str(folder / "configs/inference.json"))
    found["bundle_root"] = str(folder)
    return found


def test_monai_builds_the_network_that_encodes_the_example(laid_out, exported):
    network = parser(laid_out).get_parsed_content("network")
    bundle = read_bundle(exported / "small")
    volume = torch.from_numpy(bundle.volume)[None, None]
    with torch.inference_mode():
        mean, _ = network.encode(volume)
    np.testing.assert_allclose(mean[0].numpy(), bundle.mean, atol=1e-4)
    assert not network.training


def test_monai_reads_a_scan_and_infers(laid_out, tmp_path):
    image = np.random.default_rng(0).random((32, 32, 32), dtype=np.float32)
    save_volume(tmp_path / "brain.nii.gz", image, np.diag([6.0, 6, 6, 1]))
    found = parser(laid_out)
    content = found.get_parsed_content("preprocessing")({"image": str(tmp_path / "brain.nii.gz")})
    network = found.get_parsed_content("network")
    inferer = found.get_parsed_content("inferer")
    with torch.inference_mode():
        made = inferer(content["image"][None].as_tensor(), network)
    assert made.shape == (1, 1, 32, 32, 32)
    assert torch.isfinite(made).all()


def test_metadata_say_what_goes_in_and_out(laid_out):
    content = json.loads((laid_out / "configs/metadata.json").read_text())
    needed = {"version", "monai_version", "pytorch_version", "numpy_version", "task", "description"}
    assert needed <= set(content)
    shape = content["network_data_format"]["inputs"]["image"]["spatial_shape"]
    assert shape == [32, 32, 32]


def test_folder_with_something_in_it_is_left_alone(laid_out, exported, capsys):
    assert main(["monai", str(exported / "small"), "--to", str(laid_out)]) == 1
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_card_holds_forecast_errors_beside_the_copy(results, tmp_path):
    rows = [("copy_last", 1, "ventricles", 4, 9.876), ("linear", 2, "ventricles", 4, 3.21)]
    columns = ["method", "n_scans_seen", "region", "n_subjects", "mean_abs_error_pct"]
    path = results / "aging/small/summary.tsv"
    write_table(path, pd.DataFrame(rows, columns=columns))
    export_bundle(Request(results, "small"), tmp_path / "with")
    path.unlink()
    export_bundle(Request(results, "small"), tmp_path / "without")
    text = (tmp_path / "with/README.md").read_text()
    assert "| ventricles | copy_last | 1 | 4 | 9.88 |" in text
    assert "Not known." in (tmp_path / "without/README.md").read_text().split("## Forecasts")[1]
