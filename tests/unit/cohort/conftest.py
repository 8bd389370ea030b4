"""Small made data sets."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

SHAPE = (10, 11, 12)
VOXEL_MM = 15.0  # 150 to 180 mm of field of view from few voxels


def make_image(seed=0, shape=SHAPE, affine=None, dtype=np.int16):
    values = np.random.default_rng(seed).integers(0, 1000, shape).astype(dtype)
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1]) if affine is None else affine
    return nib.Nifti1Image(values, affine)


class Dataset:
    """A BIDS folder that tests fill file by file."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.seed = 0

    def path(self, name):
        entities = name.split("_")
        session = [part for part in entities if part.startswith("ses-")]
        path = self.folder.joinpath(entities[0], *session, "anat", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def scan(self, name, image=None):
        self.seed += 1
        path = self.path(name if ".nii" in name else f"{name}_T1w.nii.gz")
        nib.save(make_image(self.seed) if image is None else image, path)
        return path

    def table(self, name, text, encoding="utf-8"):
        path = self.folder / name
        path.write_text(text.replace(" ", "\t"), encoding=encoding)
        return path


@pytest.fixture
def dataset(tmp_path):
    return Dataset(tmp_path / "bids")


@pytest.fixture
def settings():
    from brainlapse.cohort.settings import CohortSettings

    return CohortSettings(max_voxel_mm=16)
