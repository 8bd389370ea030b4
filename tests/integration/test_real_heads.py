"""Real whole heads, with faces and necks, against an independent segmentation."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from brainlapse.images import load_volume, resample_to_grid
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.runtime import read_table
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.template import load_template_brain

ROOT = Path(__file__).parents[2]
IXI = ROOT.parent / "shared/data/ixi"
SUBJECTS = {"sub-IXI128": "train", "sub-IXI611": "validation"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not IXI.is_dir(), reason="../shared/data/ixi is not beside the project"),
]


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


@pytest.fixture(scope="module")
def preprocessed(tmp_path_factory, snakemake):
    folder = tmp_path_factory.mktemp("heads")
    for subject in SUBJECTS:
        shutil.copytree(IXI / subject, folder / "bids" / subject)
    rows = [f"{subject}\t{split}\n" for subject, split in SUBJECTS.items()]
    (folder / "bids/participants.tsv").write_text("participant_id\tsplit\n" + "".join(rows))
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"datasets": {"ixi": {"bids": str(folder / "bids")}}}))
    snakemake(folder, "preprocess", "--cores", 2, "--configfile", config)
    return folder / "results/preprocess"


def intracranial(subject):
    """Independent brain mask of a subject (DLMUSE) and its affine."""
    groups = json.loads((IXI / "derivatives/dlmuse/label_groups.json").read_text())
    path = next((IXI / "derivatives/dlmuse" / subject).rglob("*_dseg.nii.gz"))
    labels, affine = load_volume(path)
    return np.isin(labels.astype(int), groups["intracranial"]), affine


@pytest.mark.parametrize("subject", SUBJECTS)
def test_brain_mask_agrees(preprocessed, subject):
    mask, _ = load_volume(
        preprocessed / f"ixi/{subject}/{subject}_space-T1w_desc-brain_mask.nii.gz"
    )
    assert dice(mask > 0, intracranial(subject)[0]) > 0.97


@pytest.mark.parametrize("subject", SUBJECTS)
def test_affine_brings_the_brain_onto_the_template(preprocessed, subject):
    truth, affine = intracranial(subject)
    grid = mni_grid(SpaceSettings(voxel_mm=2.5, shape=(64, 80, 64)))
    transform = read_world_transform(
        preprocessed / f"ixi/{subject}/{subject}_from-T1w_to-MNI_level-affine_xfm.mat"
    )
    carried = resample_to_grid(truth, affine, grid, transform) > 0.5
    assert dice(carried, load_template_brain(grid)[1]) > 0.93


def test_real_heads_are_accepted(preprocessed):
    assert read_table(preprocessed / "qc.tsv")["status"].tolist() == ["accepted"] * 2
