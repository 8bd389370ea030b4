"""A data set full of files that no program likes: each costs itself only."""

import gzip
import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from brainlapse.runtime import read_table
from tests.unit.cohort.conftest import Dataset, make_image


def plant(dataset):
    """Odd entries by subject, and what their sentence must say."""
    names = ("pipe", "zeros", "bomb", "loop", "memory")
    pipe, zeros, bomb, loop, memory = (dataset.path(f"sub-{name}_T1w.nii.gz") for name in names)
    memory.symlink_to("/proc/self/mem")
    os.mkfifo(pipe)
    zeros.symlink_to("/dev/zero")
    bomb.write_bytes(gzip.compress(make_image().to_bytes() + bytes(200_000_000), 1))
    loop.symlink_to(loop.name)
    (dataset.folder / "sub-circle").symlink_to("sub-circle")
    dataset.path("sub-{x}_T1w.nii").touch()
    strange = os.fsencode(dataset.folder) + b"/sub-caf\xe9/anat"
    Path(os.fsdecode(strange)).mkdir(parents=True)
    shutil.copy(dataset.scan("sub-good1"), strange + b"/sub-caf\xe9_T1w.nii.gz")
    dataset.path("sub-part_T1w.nii.gz.part").touch()
    return {
        "sub-pipe": "a pipe",
        "sub-zeros": "a device",
        "sub-memory": "an empty file",
        "sub-bomb": "found more than",
        "sub-loop": "leads to itself",
        "sub-circle": "leads to itself",
        "sub-{x}": "rename the file",
        "sub-caf\\xe9": "rename the file",
        "sub-part": "nii.gz.part",
    }


@pytest.mark.slow
def test_one_entry_does_not_stop_all(tmp_path, snakemake):
    dataset = Dataset(tmp_path / "data of {lab} 'A'")
    planted = plant(dataset)
    tomorrow = time.time() + 86400
    for name in ("sub-good2", "sub-good3+a_ses-1+2"):
        os.utime(dataset.scan(name), (tomorrow, tomorrow))
    config = tmp_path / "config.yaml"
    settings = {
        "datasets": {"d": {"bids": str(dataset.folder)}},
        "cohort": {"max_voxel_mm": 16, "validation_fraction": 0.5, "test_fraction": 0},
        "seed": 1,
    }
    config.write_text(yaml.safe_dump(settings))
    arguments = ("cohort", "--cores", 1, "--configfile", config)
    snakemake(tmp_path, *arguments)
    scans = read_table(tmp_path / "results/cohort/scans.tsv")
    assert scans["scan"].tolist() == ["sub-good1", "sub-good2", "sub-good3+a_ses-1+2"]
    rejected = read_table(tmp_path / "results/cohort/rejected.tsv").set_index("subject")
    assert set(rejected.index) == set(planted)
    for subject, words in planted.items():
        assert words in rejected.loc[subject, "reason"]
    assert "Nothing to be done" in snakemake(tmp_path, *arguments).stdout
