"""Plant faults in real heads and see what the preprocessing says about each.

    python -m benchmarks.bad_input BIDS TRUTH --groups label_groups.json --folder bad_input

BIDS holds sub-*/anat/*_T1w.nii.gz with at least 15 subjects, TRUTH sub-*/anat/*_dseg.nii.gz on
the same grids; the groups file lists the labels under "intracranial", "white_matter",
"ventricles" and "cortical_csf". One fault per head; the heads then go through
`snakemake preprocess` in `--folder`. Three good heads have their finished registration turned by
10 degrees, and are judged again.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import yaml
from scipy import ndimage
from scipy.spatial.transform import Rotation

from benchmarks.heads.chain import SETTINGS, measure_placed
from brainlapse.images import load_canonical, save_volume
from brainlapse.preprocessing.quality.measures import NativeScan
from brainlapse.preprocessing.quality.verdict import judge
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.runtime import read_table
from brainlapse.space import BRAIN_CENTRE_MM

ROOT = Path(__file__).parents[1]
TURN_DEGREES = 10.0
TURNED = ("turnedx", "turnedy", "turnedz")


@dataclass(frozen=True)
class Head:
    """A real head, its segmentation and affine, axes near RAS+."""

    volume: np.ndarray
    labels: np.ndarray
    affine: np.ndarray
    groups: dict[str, list[int]]

    def is_in(self, group: str) -> np.ndarray:
        """Mask of a group of labels."""
        return np.isin(self.labels, self.groups[group])


Case = tuple[np.ndarray, np.ndarray]  # volume and affine


def unchanged(head: Head) -> Case:
    """Leave the head as it is."""
    return head.volume, head.affine


def blank_slices(head: Head, count: int = 5) -> Case:
    """Empty axial slices through the middle of the brain."""
    middle = int(np.argwhere(head.is_in("intracranial"))[:, 2].mean())
    volume = head.volume.copy()
    volume[:, :, middle : middle + count] = 0
    return volume, head.affine


def one_blank_slice(head: Head) -> Case:
    """Empty one axial slice."""
    return blank_slices(head, 1)


def left_half_empty(head: Head) -> Case:
    """Empty the left half of the field of view."""
    middle = int(np.argwhere(head.is_in("intracranial"))[:, 0].mean())
    volume = head.volume.copy()
    volume[:middle] = 0
    return volume, head.affine


def cropped(head: Head) -> Case:
    """End the field of view above the cerebellum."""
    found = np.argwhere(head.is_in("intracranial"))[:, 2]
    start = int(found.min() + 0.45 * (found.max() - found.min()))
    affine = head.affine.copy()
    affine[:3, 3] += affine[:3, 2] * start
    return head.volume[:, :, start:], affine


def cube(head: Head) -> Case:
    """Return a cube of 150 mm with noise."""
    corner_mm = np.abs(np.indices(head.volume.shape).T - np.array(head.volume.shape) / 2)
    inside = (corner_mm * nib.affines.voxel_sizes(head.affine) < 75).all(axis=-1).T
    noise = np.abs(np.random.default_rng(0).normal(0, 20, inside.shape))
    return np.where(inside, 500, 0) + noise, head.affine


def inverted(head: Head) -> Case:
    """Return a T2-like head: fluid bright, white matter dark, air as it was."""
    inside = whole_head(head)
    top = np.percentile(head.volume[head.is_in("intracranial")], 99.5)
    return np.where(inside, np.clip(1.15 * top - head.volume, 0, None), head.volume), head.affine


def ct_like(head: Head) -> Case:
    """Return Hounsfield units: air -1000, bone 1000, fluid 8, white 29, grey matter 37; noise 5."""
    brain = head.is_in("intracranial")
    level = np.median(head.volume[head.is_in("white_matter")])
    bone = ~ndimage.binary_dilation(brain) & (head.volume < 0.35 * level)
    units = np.where(bone, 1000.0, 20.0)
    units = np.where(brain, 37.0, units)
    units = np.where(head.is_in("white_matter"), 29.0, units)
    units = np.where(head.is_in("ventricles") | head.is_in("cortical_csf"), 8.0, units)
    units += np.random.default_rng(0).normal(0, 5, units.shape)
    return np.where(whole_head(head), units, -1000.0), head.affine


def whole_head(head: Head) -> np.ndarray:
    """Mask of everything inside the skin."""
    level = np.median(head.volume[head.is_in("white_matter")])
    closed = ndimage.binary_closing(np.pad(head.volume > 0.15 * level, 8), iterations=6)
    return ndimage.binary_fill_holes(closed)[8:-8, 8:-8, 8:-8]


def relabelled(head: Head, axes: tuple[int, int, int], signs: tuple[int, int, int]) -> Case:
    """Leave the voxels, and let the header name their axes wrongly."""
    affine = head.affine.copy()
    affine[:3, :3] = np.diag(signs) @ head.affine[list(axes), :3]
    affine[:3, 3] = -affine[:3, :3] @ (np.array(head.volume.shape) / 2)
    return head.volume, affine


def upside_down(head: Head) -> Case:
    """Swap superior and inferior in the header."""
    return relabelled(head, (0, 1, 2), (1, 1, -1))


def back_to_front(head: Head) -> Case:
    """Swap anterior and posterior in the header."""
    return relabelled(head, (0, 1, 2), (1, -1, 1))


def axes_swapped(head: Head) -> Case:
    """Call the axes right, superior, anterior in the header."""
    return relabelled(head, (0, 2, 1), (1, 1, 1))


def half_voxels(head: Head) -> Case:
    """Halve the voxel size in the header."""
    return head.volume, head.affine @ np.diag([0.5, 0.5, 0.5, 1])


CASES: dict[str, Callable[[Head], Case]] = {
    "good": unchanged,
    "blank5": blank_slices,
    "blank1": one_blank_slice,
    "lefthalf": left_half_empty,
    "cropped": cropped,
    "cube": cube,
    "t2": inverted,
    "ct": ct_like,
    "upsidedown": upside_down,
    "backtofront": back_to_front,
    "axes": axes_swapped,
    "halfvoxels": half_voxels,
    **dict.fromkeys(TURNED, unchanged),
}


def write_cases(bids: Path, truth: Path, groups: dict[str, list[int]], folder: Path) -> None:
    """Write one case per head, as a BIDS folder, and the configuration of the run."""
    scans = sorted(bids.glob("sub-*/anat/*_T1w.nii.gz"))
    for scan, (name, plant) in zip(scans, CASES.items(), strict=False):
        segmentation = next((truth / scan.parent.parent.name / "anat").glob("*_dseg.nii.gz"))
        volume, affine = load_canonical(scan)
        head = Head(volume, load_canonical(segmentation)[0].astype(int), affine, groups)
        path = folder / f"bids/sub-{name}/anat/sub-{name}_T1w.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        planted, planted_affine = plant(head)
        save_volume(path, planted.astype(np.float32), planted_affine)
    config = {
        "datasets": {"bad": {"bids": str((folder / "bids").resolve()), "role": "fit"}},
        "space": {"voxel_mm": 2.5, "shape": [64, 80, 64]},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def preprocess(folder: Path) -> None:
    """Run the workflow up to the quality tables."""
    command = [sys.executable, "-m", "snakemake", "preprocess", "--cores", "1", "--quiet", "rules"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    subprocess.run([*command, "--configfile", str(folder / "config.yaml")], check=True, cwd=ROOT)


def judge_turned(folder: Path) -> pd.DataFrame:
    """Judge the turned cases with their registrations turned about the middle of the brain.

    By the library: the workflow would find that the file is none of its own and register again.
    """
    rows = []
    for axis, name in zip(np.eye(3), TURNED, strict=True):
        stem = f"{folder}/results/preprocess/bad/sub-{name}/sub-{name}"
        raw, affine = load_canonical(folder / f"bids/sub-{name}/anat/sub-{name}_T1w.nii.gz")
        corrected, _ = load_canonical(f"{stem}_desc-n4_T1w.nii.gz", raw.shape)
        mask, _ = load_canonical(f"{stem}_space-T1w_desc-brain_mask.nii.gz", raw.shape)
        turn = np.eye(4)
        turn[:3, :3] = Rotation.from_rotvec(TURN_DEGREES * axis, degrees=True).as_matrix()
        turn[:3, 3] = BRAIN_CENTRE_MM - turn[:3, :3] @ BRAIN_CENTRE_MM
        transform = read_world_transform(f"{stem}_from-T1w_to-MNI_level-affine_xfm.mat") @ turn
        numbers = measure_placed(NativeScan(raw, corrected, mask > 0, affine), transform)
        record = json.loads(Path(f"{stem}_space-T1w_desc-brain_mask.json").read_text())
        verdict = judge({**numbers, "mask_score": record["score"]}, SETTINGS.quality)
        reasons = "; ".join(verdict.reasons)
        rows.append((f"sub-{name}", verdict.status, "judge_turned", reasons))
    return pd.DataFrame(rows, columns=["subject", "status", "stage", "reasons"])


def tabulate(folder: Path) -> pd.DataFrame:
    """Return case, status, stage and reasons."""
    quality = read_table(folder / "results/preprocess/qc.tsv")
    early = read_table(folder / "results/cohort/rejected.tsv")
    early = early.rename(columns={"reason": "reasons"}).assign(status="rejected")
    ran = pd.concat([quality, early])[["subject", "status", "stage", "reasons"]]
    table = pd.concat(
        [ran[~ran["subject"].isin([f"sub-{n}" for n in TURNED])], judge_turned(folder)]
    )
    order = {f"sub-{name}": number for number, name in enumerate(CASES)}
    return table.sort_values("subject", key=lambda column: column.map(order))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bids", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--groups", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path("results/bad_input"))
    options = parser.parse_args()
    if options.folder.exists():
        raise SystemExit(f"{options.folder}: is there already; remove it or give another --folder")
    groups = json.loads(options.groups.read_text())
    write_cases(options.bids, options.truth, groups, options.folder)
    preprocess(options.folder)
    for row in tabulate(options.folder).itertuples():
        print(f"{row.subject} | {row.status} | {row.stage} | {row.reasons}")


if __name__ == "__main__":
    main()
