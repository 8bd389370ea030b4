"""Hold the embedded segmenter against truths and references, one table row per figure.

    python -m benchmarks.segmentation ../shared/data --threads 2 --out segmentation.tsv

The folder holds label_maps, oasis, ixi, clinic and native_head; parts that are missing are left
out, and named. ``--only synthetic oasis ixi clinic rescan robust speed`` picks parts; ``--weights``
takes a network other than the shipped one; ``--synthseg`` adds the same figures for an
mri_synthseg installed here. Every scan goes through the command line
`python -m brainlapse.segmentation`, as a user's would.
"""

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainlapse.images import load_canonical, load_volume, save_volume
from brainlapse.runtime import read_json
from brainlapse.segmentation.labels import GROUPS, STRUCTURES
from brainlapse.segmentation.synthseg.gates import read_volumes
from brainlapse.segmenter.anatomies import fold_labels
from brainlapse.segmenter.deformation import smooth_noise
from brainlapse.segmenter.label_maps import find_label_maps, label_map_name
from brainlapse.segmenter.settings import SynthesisSettings
from brainlapse.segmenter.synthesis import acquire, draw_tissues

VALIDATION = ("sub-07_dseg", "sub-14_dseg")
"""Label maps that the shipped network never saw in training."""
OUTSIDE_BRAIN = {
    511: 0.95, 507: 0.45, 515: 0.1, 516: 0.8, 509: 0.5, 514: 0.35, 502: 0.4, 512: 0.75, 506: 0.15,
    508: 0.3, 530: 0.4,
}  # fmt: skip
"""Typical intensities of skin, muscle, bone, marrow, ... beside white matter at 0.85."""
OASIS_GROUPS = {
    "hippocampus": ({47, 48}, GROUPS["hippocampus"]),
    "lateral ventricles": ({51, 52}, GROUPS["lateral_ventricles"]),
    "cerebral grey matter": (set(range(100, 208)), frozenset({3, 42})),
    "cerebral white matter": ({44, 45}, frozenset({2, 41})),
}
COMPARED = ("hippocampus", "ventricles", "grey_matter", "white_matter")
ROTATION_DEG = 15.0

Row = tuple[str, str, float]


class Segmenters:
    """The command line under test, run on files in a scratch folder."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.command, self.folder = command, folder
        self.seconds: list[float] = []

    def run(self, scan: Path, name: str) -> tuple[np.ndarray, dict[str, float]]:
        """Label map on the scan's grid and volumes of structures and groups [mm3]."""
        labels, table = self.folder / f"{name}.nii.gz", self.folder / f"{name}.csv"
        begun = time.monotonic()
        arguments = ["--i", str(scan), "--o", str(labels), "--vol", str(table), "--keepgeom"]
        subprocess.run([*self.command, *arguments], check=True)
        self.seconds.append(time.monotonic() - begun)
        structures = read_volumes(table)
        groups = {
            group: sum(structures[name] for name, label in STRUCTURES.items() if label in ids)
            for group, ids in GROUPS.items()
        }
        return load_volume(labels)[0].astype(int), groups


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice of two masks."""
    return 2 * (found & truth).sum() / (found.sum() + truth.sum())


def draw_head(labels: np.ndarray, seed: int) -> np.ndarray:
    """T1-weighted whole head at 1 mm, with noise and a bias field, drawn from a label map."""
    settings = SynthesisSettings(random_contrast=0, resolution_mm=1, noise=0.03, bias=0.1)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    means, deviations = draw_tissues(settings, rng)
    means[0] = 0.02
    for label, typical in OUTSIDE_BRAIN.items():
        means[label] = typical + rng.normal(0, 0.04)
    index = torch.from_numpy(labels.astype(np.int64))
    image = torch.from_numpy(means)[index]
    image += torch.from_numpy(deviations)[index] * torch.randn(image.shape, generator=generator)
    image = acquire(image, settings, rng, generator)
    image *= torch.exp(0.1 * smooth_noise(tuple(labels.shape), (4, 4, 4), 1, generator)[0])
    return (1000 * image.clamp(min=0)).numpy()


def synthetic(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Whole heads synthesised from label maps kept out of training."""
    scores = []
    for seed, path in enumerate(find_label_maps(data / "label_maps")):
        if label_map_name(path) not in VALIDATION:
            continue
        stored, affine = load_canonical(path)
        scan = segmenter.folder / f"synthetic-{seed}.nii.gz"
        save_volume(scan, draw_head(stored, seed), affine, dtype=np.float32)
        found, _ = segmenter.run(scan, f"synthetic-{seed}-labels")
        truth = fold_labels(stored.astype(np.uint16))
        scores.append({i: overlap(found == i, truth == i) for i in STRUCTURES.values()})
    table = pd.DataFrame(scores)
    yield "synthetic heads, Dice", "mean of 32 structures", table.to_numpy().mean()
    yield "synthetic heads, Dice", "hippocampus", table[[17, 53]].to_numpy().mean()
    yield "synthetic heads, Dice", "lateral ventricles", table[[4, 43]].to_numpy().mean()
    for name, label in STRUCTURES.items():
        yield "synthetic heads, Dice of each structure", name, table[label].mean()


def oasis(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Real brains with manual labels."""
    scores = []
    for path in sorted((data / "oasis").glob("*_glm.nii.gz")):
        scan = path.name.removesuffix("_glm.nii.gz")
        truth = np.squeeze(np.asarray(nib.load(path).dataobj)).astype(int)
        found, _ = segmenter.run(data / "oasis" / f"{scan}_SS.nii.gz", f"oasis-{scan}")
        scores.append(
            {
                region: overlap(np.isin(found, list(ours)), np.isin(truth, list(theirs)))
                for region, (theirs, ours) in OASIS_GROUPS.items()
            }
        )
    for region, values in pd.DataFrame(scores).items():
        yield f"OASIS, {len(scores)} scans, Dice", str(region), values.mean()


def ixi(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Healthy heads of 2 mm beside DLMUSE."""
    return beside_dlmuse(data / "ixi", "IXI", segmenter)


def clinic(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Heads of an elderly clinic, necks in view, beside DLMUSE."""
    return beside_dlmuse(data / "clinic", "clinic", segmenter)


def beside_dlmuse(dataset: Path, name: str, segmenter: Segmenters) -> Iterator[Row]:
    """Volumes of the heads of a data set and those of the DLMUSE label maps beside them."""
    groups = read_json(dataset.parent / "ixi/derivatives/dlmuse/label_groups.json")
    truth_folder = dataset / "derivatives" / "dlmuse"
    rows = []
    for path in sorted(truth_folder.glob("sub-*/**/*_dseg.nii.gz")):
        subject = path.relative_to(truth_folder).parts[0]
        scan = next((dataset / subject).rglob("*_T1w.nii.gz"))
        labels, affine = load_volume(path)
        voxel_mm3 = abs(np.linalg.det(affine[:3, :3]))
        _, volumes = segmenter.run(scan, subject)
        for region in COMPARED:
            reference = np.isin(labels, groups[region]).sum() * voxel_mm3
            rows.append((region, volumes[region], reference))
    table = pd.DataFrame(rows, columns=["region", "found", "reference"])
    for region in COMPARED:
        part = table[table["region"] == region]
        on, ratio = f"{name}, {len(part)} heads", part["found"] / part["reference"]
        yield f"{on}, correlation with DLMUSE", region, part["found"].corr(part["reference"])
        yield f"{on}, ratio to DLMUSE", region, ratio.mean()
        yield f"{on}, SD of the ratio", region, ratio.std()


def rescan(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """One person scanned twice."""
    first, second = (
        segmenter.run(data / "oasis" / f"{scan}_SS.nii.gz", f"rescan-{scan}")[1]
        for scan in ("1003", "1023")
    )
    for region in COMPARED:
        yield "scan-rescan 1003/1023, difference [%]", region, difference(first, second, region)


def difference(first: dict[str, float], second: dict[str, float], region: str) -> float:
    """Difference of two volumes in percent of their mean."""
    return 200 * abs(first[region] - second[region]) / (first[region] + second[region])


def robust(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Compare the same heads whole and stripped, and turned by 15 degrees about each axis."""
    worst: dict[tuple[str, str], float] = {}
    for path in sorted((data / "native_head").glob("*.nii.gz")):
        volume, affine = load_volume(path)
        found, whole = segmenter.run(path, "whole")
        stripped = segmenter.folder / "stripped.nii.gz"
        save_volume(stripped, np.where(found > 0, volume, 0), affine)
        variants = {"stripped": segmenter.run(stripped, "stripped-labels")[1]}
        for axis in range(3):
            turned = segmenter.folder / "turned.nii.gz"
            save_volume(turned, *turn_scan(volume, affine, axis))
            variants[f"turned, axis {axis}"] = segmenter.run(turned, "turned-labels")[1]
        for (variant, volumes), region in itertools.product(variants.items(), COMPARED):
            key = (f"whole against {variant}, worst difference [%]", region)
            worst[key] = max(worst.get(key, 0), difference(whole, volumes, region))
    for (part, region), value in worst.items():
        yield part, region, value


def turn_scan(volume: np.ndarray, affine: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Head turned about its middle as in another scan: new voxels, header unaware of the pose."""
    turn = Rotation.from_rotvec(np.deg2rad(ROTATION_DEG) * np.eye(3)[axis]).as_matrix()
    middle = (np.asarray(volume.shape) - 1) / 2
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    matrix = turn * spacing[None, :] / spacing[:, None]
    turned = ndimage.affine_transform(volume, matrix, middle - matrix @ middle, order=3)
    return np.clip(turned, 0, None).astype(np.float32), affine


def speed(data: Path, segmenter: Segmenters) -> Iterator[Row]:
    """Time a 1 mm head of 256^3 voxels: wall time, processor time and memory of the command."""
    path = sorted((data / "native_head").glob("*.nii.gz"))[0]
    volume, affine = load_canonical(path)
    room = [256 - size for size in volume.shape]
    padded = np.pad(
        volume[tuple(slice(0, 256) for _ in range(3))],
        [(max(0, gap) // 2, max(0, gap) - max(0, gap) // 2) for gap in room],
    )
    shifted = affine.copy()
    shifted[:3, 3] -= affine[:3, :3] @ [max(0, gap) // 2 for gap in room]
    scan = segmenter.folder / "head256.nii.gz"
    save_volume(scan, padded, shifted)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    segmenter.run(scan, "head256-labels")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield "256^3 head", "wall time [s]", segmenter.seconds[-1]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield "256^3 head", "processor time [s]", used
    yield "256^3 head", "peak memory of any run [GB]", after.ru_maxrss / 1e6


PARTS = {
    "speed": (speed, "native_head"),
    "synthetic": (synthetic, "label_maps"),
    "oasis": (oasis, "oasis"),
    "rescan": (rescan, "oasis"),
    "robust": (robust, "native_head"),
    "ixi": (ixi, "ixi"),
    "clinic": (clinic, "clinic"),
}


def main() -> None:
    """Print every figure as it comes and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the scans and truths")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--synthseg", help="mri_synthseg to measure in place of the network")
    parser.add_argument("--out", type=Path, default=Path("segmentation.tsv"))
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "brainlapse.segmentation"]
    if arguments.weights:
        command += ["--weights", str(arguments.weights)]
    if arguments.synthseg:
        command = [arguments.synthseg, "--cpu"]
    command += ["--threads", str(arguments.threads)] + ["--fast"] * int(arguments.fast)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            part, needed = PARTS[name]
            if not (arguments.data / needed).is_dir():
                print(f"{name}: left out, {arguments.data / needed} is missing")
                continue
            for row in part(arguments.data, Segmenters(command, Path(folder))):
                print(f"{row[0]}\t{row[1]}\t{row[2]:.4g}", flush=True)
                rows.append(row)
    table = pd.DataFrame(rows, columns=["on", "figure", "value"])
    table.to_csv(arguments.out, sep="\t", index=False)


if __name__ == "__main__":
    main()
