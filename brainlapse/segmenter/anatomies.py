"""Label maps of real heads, laid into MNI space the way the chain lays scans there."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainlapse.damage import reading
from brainlapse.images import load_scan
from brainlapse.preprocessing.blocks import brain_box, crop_affine
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.settings import RegistrationSettings
from brainlapse.runtime import atomic_path
from brainlapse.segmentation.labels import LABEL_IDS
from brainlapse.segmenter.label_maps import label_map_name
from brainlapse.space import Grid

OUTSIDE = 500
"""Ids from here on are tissue outside the brain; smaller ones, but 0, lie inside the skull."""
TABLE_SIZE = 1024
"""Ids lie below it: drawings look classes and intensities up in tables of this size."""
FOLDED = {
    25: 2,
    57: 41,
    30: 2,
    62: 41,
    136: 4,
    163: 43,
    137: 5,
    164: 44,
    72: 4,
    77: 2,
    31: 4,
    63: 43,
}
"""Structure to which small ones count: lesions and vessels to the white matter around them,
choroid plexus and fifth ventricle to the lateral ventricles, as SynthSeg counts them."""
VENTRICLES = (4, 5, 14, 43, 44, 136, 137, 163, 164, 72, 31, 63)
REACH_MM = 12.0
LATTICE_MM = 4.0
MARGIN_VOXELS = 24
T1_LIKE = {"fluid": 0.1, "grey": 0.55, "white": 0.85}
FLUID = (4, 5, 14, 15, 24, 43, 44)
WHITE = (2, 7, 16, 28, 41, 46, 60)


@dataclass(frozen=True)
class Anatomy:
    """One head.

    Attributes
    ----------
    name
        File name of the label map without its ending.
    labels
        uint16 (X, Y, Z), ids as in the file, cropped around the brain.
    from_mni
        MNI mm to voxel of `labels`, float64 (4, 4).
    ventricle_push
        float32 (3, x, y, z): away from the ventricles' walls, length about 1 at the wall (up to
        1.3, since distances are counted in voxels of the lattice) and falling off with
        `REACH_MM`, in MNI mm.
    """

    name: str
    labels: np.ndarray
    from_mni: np.ndarray
    ventricle_push: np.ndarray


def split_anatomies(
    anatomies: Iterable[Anatomy], validation: tuple[str, ...]
) -> tuple[list[Anatomy], list[Anatomy]]:
    """Part the anatomies into those trained on and those kept for validation.

    Raises
    ------
    ValueError
        If a name is unknown, or none is left to train on.
    """
    everyone = list(anatomies)
    unknown = sorted(set(validation) - {anatomy.name for anatomy in everyone})
    training = [anatomy for anatomy in everyone if anatomy.name not in validation]
    if unknown or not training:
        found = ", ".join(anatomy.name for anatomy in everyone)
        message = (
            f"segmenter.validation: expected some of the label maps ({found}), found "
            f"{list(validation)}; name maps that exist and leave some to train on"
        )
        raise ValueError(message)
    return training, [anatomy for anatomy in everyone if anatomy.name in validation]


def prepare_anatomy(path: Path, lattice: Grid) -> Anatomy:
    """Read a label map and find its place in MNI space (seconds).

    Raises
    ------
    ValueError
        If the file lacks a structure, or holds ids of 1024 and more (cortical parcels).
    """
    volume, affine = to_canonical(*load_scan(path))
    labels = np.round(volume).astype(np.uint16)
    brain = (labels > 0) & (labels < OUTSIDE)
    missing = sorted(LABEL_IDS - set(np.unique(labels).tolist()))
    if missing:
        message = f"{path}: expected SynthSeg's 32 structures, found none with the ids {missing}"
        raise ValueError(message)
    if labels.max() >= TABLE_SIZE:
        message = f"{path}: expected ids below {TABLE_SIZE}, found {labels.max()}"
        raise ValueError(message)
    box = brain_box(brain, MARGIN_VOXELS)
    labels, affine = labels[box], crop_affine(affine, box)
    from_mni = np.linalg.inv(affine) @ register_labels(labels, affine)
    return Anatomy(
        name=label_map_name(path),
        labels=labels,
        from_mni=from_mni,
        ventricle_push=_ventricle_push(labels, from_mni, lattice),
    )


def register_labels(labels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Template world to label map world mm (4, 4), by the chain's own registration.

    The registered image is drawn from the labels: three tissues, without skull.
    """
    settings = RegistrationSettings()
    folded = fold_labels(labels)
    brain = folded > 0
    image = np.where(brain, T1_LIKE["grey"], 0.0)
    image[np.isin(folded, FLUID)] = T1_LIKE["fluid"]
    image[np.isin(folded, WHITE)] = T1_LIKE["white"]
    target = registration_target(settings.voxel_mm)
    moving = prepare_brain(image, brain, affine, settings.voxel_mm)
    return register_brain(target, moving, settings)[-1]


def fold_labels(labels: np.ndarray) -> np.ndarray:
    """SynthSeg's 32 structures (and 0) of a label map with small structures besides."""
    table = np.zeros(int(labels.max()) + 1, dtype=np.uint16)
    for label in LABEL_IDS:
        if label < len(table):
            table[label] = label
    for small, structure in FOLDED.items():
        if small < len(table):
            table[small] = structure
    return table[labels]


def _ventricle_push(labels: np.ndarray, from_mni: np.ndarray, lattice: Grid) -> np.ndarray:
    """See `Anatomy`; the distance is measured on the lattice in MNI space."""
    inside = np.isin(labels, VENTRICLES).astype(np.float32)
    index_map = from_mni @ lattice.affine
    share = ndimage.affine_transform(
        ndimage.gaussian_filter(inside, LATTICE_MM / 2.5),
        index_map[:3, :3],
        offset=index_map[:3, 3],
        output_shape=lattice.shape,
        order=1,
    )
    wall = share > 0.25
    distance = ndimage.distance_transform_edt(~wall) - ndimage.distance_transform_edt(wall)
    distance = ndimage.gaussian_filter(distance * LATTICE_MM, 0.7)
    normal = np.stack(np.gradient(distance, LATTICE_MM))
    fall = np.exp(-np.abs(distance) / REACH_MM)
    return (normal * fall).astype(np.float32)


def save_anatomy(path: str | Path, anatomy: Anatomy) -> None:
    """Write an anatomy as ``.npz``."""
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **vars(anatomy))


def read_anatomy(path: str | Path) -> Anatomy:
    """Read what `save_anatomy` wrote."""
    with reading(path), np.load(path, allow_pickle=False) as arrays:
        return Anatomy(
            name=str(arrays["name"]),
            **{key: arrays[key] for key in ("labels", "from_mni", "ventricle_push")},
        )
