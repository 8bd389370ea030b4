"""Cohorts for tests of the whole chain, with every fault that a folder of scans may have."""

import gzip
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import yaml

from brainlapse.simulation.dataset import write_dataset
from brainlapse.simulation.settings import SimulationSettings

ROOT = Path(__file__).parents[2]
CLINIC = """it's "my" data"""
BAD_FILES = {  # subject -> what its sentence must say
    "sub-cut": "ends early",
    "sub-text": "found text",
    "sub-4d": "4D",
    "sub-zero": "zeros",
    "sub-nan": "NaN",
    "sub-flat2d": "2D",
    "sub-dangling": "link",
    "sub-copy1": "sub-copy2",
    "sub-copy2": "sub-copy1",
}


def write_clinic(folder):
    """Write a second data set in a folder with spaces and quotes, and plant the faults."""
    settings = SimulationSettings(subjects=3, sessions=1, voxel_mm=3.0)
    write_dataset(settings, seed=7, folder=folder, workers=2)
    shutil.rmtree(folder / "derivatives")
    set_ages(folder, {"sub-01": "999", "sub-02": "n/a"}, missing="sub-03")
    name_columns_like_ours(folder / "participants.tsv")
    source = next(folder.glob("sub-01/ses-1/anat/*_T1w.nii*"))
    image = nib.load(source)
    volume = np.asarray(image.dataobj).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=volume.shape).astype(np.float32)

    save(folder, "sub-4d", np.stack([volume] * 2, -1), image.affine)
    save(folder, "sub-zero", np.zeros_like(volume), image.affine)
    save(folder, "sub-nan", np.where(volume > volume.mean(), np.nan, volume), image.affine)
    save(folder, "sub-flat2d", volume[0], image.affine)
    save(folder, "sub-copy1", volume + noise, image.affine)
    save(folder, "sub-copy2", volume + noise, image.affine)
    place(folder, "sub-text").write_text("this is no image")
    whole = gzip.compress(nib.Nifti1Image(volume, image.affine).to_bytes())
    place(folder, "sub-cut").write_bytes(whole[: len(whole) // 2])
    place(folder, "sub-dangling").symlink_to(folder / "nowhere.nii.gz")


def add_person(folder, subject):
    """Add one more person to the clinic: another scan, of unknown age."""
    image = nib.load(next(folder.glob("sub-02/ses-1/anat/*_T1w.nii*")))
    volume = np.asarray(image.dataobj).astype(np.float32)
    noise = np.random.default_rng(1).normal(scale=0.01 * volume.max(), size=volume.shape)
    save(folder, subject, np.abs(volume + noise.astype(np.float32)), image.affine)


def name_columns_like_ours(table):
    """Add columns of the user whose names later stages use as well."""
    header, *lines = table.read_text().splitlines()
    names = ("status", "flagged", "scan_path", "path", "person", "volume_mm3", "region", "fold")
    cells = "\t".join(["theirs"] * len(names))
    rows = ["\t".join((header, *names)), *(f"{line}\t{cells}" for line in lines)]
    table.write_text("\n".join(rows) + "\n")


def set_ages(folder, ages, missing):
    """Give impossible and missing ages, and leave a subject out of its sessions table."""
    for subject, age in ages.items():
        table = next(folder.glob(f"{subject}/*_sessions.tsv"))
        table.write_text(f"session_id\tage\nses-1\t{age}\n")
    next(folder.glob(f"{missing}/*_sessions.tsv")).unlink()


def write_heads(folder):
    """Simulate eight people, two scans each, for data sets of some of them."""
    settings = SimulationSettings(subjects=8, sessions=2, voxel_mm=3.0)
    write_dataset(settings, seed=3, folder=folder, workers=2)


def some_of(heads, splits, sessions, folder):
    """Make a data set of some of the heads: subject -> split, and their first sessions."""
    people = pd.read_table(heads / "participants.tsv").set_index("participant_id")
    for subject in splits:
        (folder / subject).mkdir(parents=True)
        ages = pd.read_table(heads / subject / f"{subject}_sessions.tsv").head(sessions)
        ages.to_csv(folder / subject / f"{subject}_sessions.tsv", sep="\t", index=False)
        for session in ages["session_id"]:
            (folder / subject / session).symlink_to(heads / subject / session)
    table = people.loc[list(splits)].assign(split=list(splits.values()))
    table.to_csv(folder / "participants.tsv", sep="\t")
    return str(folder)


def place(folder, subject):
    """Path of the only scan of a subject."""
    path = folder / subject / "anat" / f"{subject}_T1w.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def save(folder, subject, volume, affine):
    """Save a volume as the only scan of a subject."""
    nib.save(nib.Nifti1Image(volume, affine), place(folder, subject))


def write_config(folder, clinic):
    """Write the tiny configuration with the clinic beside the simulated cohort."""
    config = yaml.safe_load((ROOT / "tests/config/tiny.yaml").read_text())
    config["datasets"]["clinic"] = {"bids": str(clinic), "role": "apply"}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
