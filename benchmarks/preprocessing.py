"""Measure preprocessing against truths that were planted or made by others.

    python -m benchmarks.preprocessing heads BIDS TRUTH --groups label_groups.json
    python -m benchmarks.preprocessing poses BIDS [--poses 4]
    python -m benchmarks.preprocessing synthetic LABEL_MAPS
    python -m benchmarks.preprocessing pairs FIRST SECOND [...]
    python -m benchmarks.preprocessing intensity BIDS
    python -m benchmarks.preprocessing speed SCAN TEMPLATE_WITH_SKULL TEMPLATE_MASK

Everywhere: [--scans N], every so many of the scans found; [--metric NAME --sampling SHARE], of the
affine level in place of the default. One thread; times are CPU seconds.
heads: overlap with the intracranial labels of a segmentation (sub-*/anat/*_dseg.nii.gz), in the
head and carried to MNI space. poses: the head resampled turned, shifted and stored in another
axis order, against itself unposed. synthetic: heads drawn from label maps, with a bias field and
noise. pairs: correlation of two scans of one person on the MNI grid. intensity: gain, offset and
gamma. speed: the chain beside N4 and an affine registration with ANTs' defaults.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff
from scipy import ndimage

from benchmarks.segmentation import OUTSIDE_BRAIN
from brainlapse.images import load_canonical, load_volume, resample_to_grid
from brainlapse.preprocessing.agreement import correlation, dice
from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.brain_mask.ways.registry import WAYS
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.quality.reference import registration_target, sample_reference
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.preprocessing.resampling import resample_brain
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import limit_threads
from brainlapse.space import grid_at
from brainlapse.template import load_template

SETTINGS = PreprocessSettings()
TARGET = registration_target(SETTINGS.registration.voxel_mm)
GRID = grid_at(2.0, (96, 116, 96))
TEMPLATE_WHITE = load_template(GRID).white
WHITE = 400.0  # white matter of drawn heads
CEREBELLUM = (7, 8, 46, 47)
OUTSIDE = 500  # ids above it are tissue outside the brain
SEED = 0


def align(volume: np.ndarray, affine: np.ndarray, ways: list[str] | None = None) -> dict:
    """Run the chain up to the transform; the CPU seconds of each step besides."""
    marks = [time.process_time()]
    chosen = {"ways": tuple(ways)} if ways else {}
    found = find_brain(volume, affine, TARGET, SETTINGS.mask.model_copy(update=chosen))
    mask = found.mask
    marks.append(time.process_time())
    volume = remove_offset(volume)
    log_field = estimate_log_field(volume, mask, affine, SETTINGS.bias)
    corrected = remove_field(volume, log_field)
    marks.append(time.process_time())
    brain = prepare_brain(corrected, mask, affine, SETTINGS.registration.voxel_mm)
    transforms = register_brain(TARGET, brain, SETTINGS.registration)
    marks.append(time.process_time())
    return {
        "mask": mask,
        "way": found.way,
        "corrected": corrected,
        "log_field": log_field,
        "transform": transforms[-1],
        "seconds": np.diff(marks),
    }


def to_mni(volume: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run the whole chain: normalised brain and mask on a 2 mm MNI grid."""
    found = align(volume, affine)
    stripped, inside = resample_brain(
        found["corrected"], found["mask"], affine, GRID, found["transform"], SETTINGS.resampling
    )
    anchors = find_anchors(stripped[inside], SETTINGS.intensity, TEMPLATE_WHITE[inside])
    return normalise(stripped, inside, SETTINGS.intensity, anchors), inside


def displacement_mm(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance over the template's brain between where two transforms put it."""
    points = np.argwhere(TARGET[0] > 0)[::200] @ TARGET[1][:3, :3].T + TARGET[1][:3, 3]
    difference = first - second
    return float(np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean())


def measure_heads(options: argparse.Namespace) -> None:
    """Overlap with another's segmentation."""
    labels = json.loads(options.groups.read_text())["intracranial"]
    reference = sample_reference(GRID).brain_mask
    rows = []
    for scan in choose(sorted(options.bids.glob("sub-*/anat/*_T1w.nii.gz")), options.scans):
        subject = scan.parent.parent.name
        volume, affine = load_canonical(scan)
        truth_file = next((options.truth / subject / "anat").glob("*_dseg.nii.gz"))
        truth = np.isin(load_canonical(truth_file)[0], labels)
        try:
            found = align(volume, affine, options.ways)
        except ScanRejected as error:
            print(subject, "REJECTED", error, flush=True)
            continue
        carried = resample_to_grid(truth, affine, GRID, found["transform"]) > 0.5
        rows.append([dice(found["mask"], truth), dice(carried, reference), *found["seconds"]])
        print(subject, np.round(rows[-1], 4), flush=True)
    table = np.array(rows)
    for name, column in zip(("strip", "registration"), table.T, strict=False):
        print(f"{name}: median Dice {np.median(column):.4f}, worst {column.min():.4f}")
    print(f"{len(table)} heads; CPU s (mask, N4, registration): {table[:, 2:].mean(axis=0)}")


def measure_poses(options: argparse.Namespace) -> None:
    """Agreement with the unposed result."""
    random = np.random.default_rng(SEED)
    away = []
    for scan in choose(sorted(options.bids.glob("sub-*/anat/*_T1w.nii.gz")), options.scans):
        volume, affine = load_canonical(scan)
        rest = align(volume, affine)["transform"]
        for _ in range(options.poses):
            posed, posed_affine, motion, angle = plant_pose(volume, affine, random)
            try:
                found = align(posed, posed_affine)["transform"]
            except ScanRejected as error:
                print(scan.parent.parent.name, f"{angle:.0f} degrees REJECTED", error, flush=True)
                away.append(np.inf)
                continue
            away.append(displacement_mm(np.linalg.inv(motion) @ found, rest))
            words = f"{angle:.0f} degrees: {away[-1]:.2f} mm"
            print(scan.parent.parent.name, words, flush=True)
    within = np.array(away) <= 1.0
    print(f"{within.sum()} of {len(away)} within 1 mm; median {np.median(away):.2f} mm")


def plant_pose(
    volume: np.ndarray, affine: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Turn a head by up to 45 degrees, shift it by up to 50 mm, store it in some axis order.

    Every second pose is in the voxels, every other in the header.

    Returns
    -------
    tuple
        Volume, affine, the motion (old world to new world mm, (4, 4)), its angle [degrees].
    """
    axis = random.normal(size=3)
    angle = random.uniform(5, 45)
    centre = affine[:3, :3] @ ((np.array(volume.shape) - 1) / 2) + affine[:3, 3]
    motion = np.eye(4)
    motion[:3, :3] = rotation_matrices(angle * axis[None] / np.linalg.norm(axis))[0]
    shift = random.normal(size=3)
    shift *= random.uniform(0, 50) / np.linalg.norm(shift)
    motion[:3, 3] = centre - motion[:3, :3] @ centre + shift
    if random.random() < 0.5:
        affine = motion @ affine
    else:
        shape = np.ceil(1.4 * np.array(volume.shape)).astype(int)
        grid_affine = affine.copy()
        grid_affine[:3, 3] = centre + shift - affine[:3, :3] @ ((shape - 1) / 2)
        index_map = np.linalg.inv(affine) @ np.linalg.inv(motion) @ grid_affine
        volume = ndimage.affine_transform(
            volume, index_map[:3, :3], index_map[:3, 3], output_shape=tuple(shape), order=1
        )
        affine = grid_affine
    order = np.column_stack([random.permutation(3), random.choice([-1, 1], 3)])
    stored = np.ascontiguousarray(apply_orientation(volume, order))
    return stored, affine @ inv_ornt_aff(order, volume.shape), motion, float(angle)


def measure_synthetic(options: argparse.Namespace) -> None:
    """Bias that is left, and the mask, of heads drawn from label maps."""
    random = np.random.default_rng(SEED)
    files = sorted(options.label_maps.glob("*.nii*"))
    for path in choose(files, options.scans):
        labels, affine = load_canonical(path)
        labels, affine = labels[::2, ::2, ::2].astype(int), affine @ np.diag([2, 2, 2, 1.0])
        volume, log_bias, brain = draw_head(labels, random)
        try:
            found = align(volume, affine)
        except ScanRejected as error:
            print(path.name, "REJECTED", error, flush=True)
            continue
        inside = brain & found["mask"]
        left = (log_bias - found["log_field"])[inside].std()
        before = log_bias[inside].std()
        overlap = dice(found["mask"], brain)
        print(
            path.name,
            f"log bias SD {before:.3f}, left {left:.3f}; strip Dice {overlap:.3f}",
            flush=True,
        )


def draw_head(
    labels: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a T1-like head (X, Y, Z): one mean per tissue, a bias field to 40 %, noise of 3 %.

    Returns
    -------
    tuple
        Volume, log of the planted bias, bool mask of all that lies inside the skull: label maps
        go on along the spinal canal, the mask ends with the cerebellum.
    """
    brain = (labels > 0) & (labels < OUTSIDE)
    brain[:, :, : np.flatnonzero(np.isin(labels, CEREBELLUM).any(axis=(0, 1)))[0]] = False
    means = np.zeros(int(labels.max()) + 1)
    means[1:OUTSIDE] = 250.0
    fluid = [4, 5, 14, 15, 24, 43, 44]
    white = [2, 7, 16, 28, 41, 46, 60]
    means[fluid], means[white] = 90.0, WHITE
    for outside in np.unique(labels[labels >= OUTSIDE]):
        typical = WHITE / 0.85 * OUTSIDE_BRAIN.get(int(outside), 0.3)
        means[outside] = typical * random.uniform(0.8, 1.2)
    knots = random.normal(size=(4, 4, 4))
    field = ndimage.zoom(knots, np.array(labels.shape) / 4, order=3, mode="nearest")
    field *= np.log(1.4) / np.abs(field[brain]).max()
    volume = ndimage.gaussian_filter(means[labels], 0.5) * np.exp(field)
    noise = random.normal(0, 12, (2, *labels.shape))
    return np.hypot(volume + noise[0], noise[1]).astype(np.float32), field, brain


def measure_pairs(options: argparse.Namespace) -> None:
    """Correlation of scans of one person after preprocessing, each two of the list."""
    for first, second in zip(options.files[::2], options.files[1::2], strict=True):
        (a, mask_a), (b, mask_b) = (to_mni(*load_volume(path)) for path in (first, second))
        both = mask_a & mask_b
        print(first.name, second.name, f"correlation {correlation(a, b, both):.4f}, "
              f"Dice of the masks {dice(mask_a, mask_b):.4f}", flush=True)  # fmt: skip


def measure_intensity(options: argparse.Namespace) -> None:
    """Difference of the normalised intensities after a change of the raw ones."""
    for scan in choose(sorted(options.bids.glob("sub-*/anat/*_T1w.nii.gz")), options.scans):
        volume, affine = load_volume(scan)
        rest, inside = to_mni(volume, affine)
        top = float(np.percentile(volume, 99.9))
        changes = {
            "gain 0.1": volume * 0.1,
            "gain 10": volume * 10,
            "offset 20 %": volume + 0.2 * top,
            "gamma 0.8": top * (volume / top) ** 0.8,
            "gamma 1.25": top * (volume / top) ** 1.25,
        }
        for name, changed in changes.items():
            other, other_inside = to_mni(changed.astype(np.float32), affine)
            both = inside & other_inside
            difference = np.median(np.abs(other - rest)[both])
            print(scan.parent.parent.name, name, f"median difference {difference:.4f}", flush=True)


def measure_speed(options: argparse.Namespace) -> None:
    """Run the chain, then N4 and an affine registration of the head with ANTs' defaults."""
    volume, affine = load_volume(options.scan)
    began = time.process_time()
    found = align(volume, affine)
    resample_brain(
        found["corrected"], found["mask"], affine, GRID, found["transform"], SETTINGS.resampling
    )
    ours = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    theirs_s, theirs = run_ants_defaults(options)
    template_mask, mask_affine = load_canonical(options.template_mask)
    grid = type(GRID)(template_mask.shape, mask_affine)
    overlaps = [
        dice(resample_to_grid(found["mask"], affine, grid, transform) > 0.5, template_mask > 0)
        for transform in (found["transform"], theirs)
    ]
    print(f"chain {ours:.1f} CPU s (mask, N4, registration {np.round(found['seconds'], 1)}), "
          f"peak {peak_mb:.0f} MB; ANTs' defaults {theirs_s:.1f} CPU s: {theirs_s / ours:.1f} "
          f"times; Dice {overlaps[0]:.4f} and {overlaps[1]:.4f}")  # fmt: skip


def run_ants_defaults(options: argparse.Namespace) -> tuple[float, np.ndarray]:
    """CPU seconds and transform, template world to scan world mm, of what is commonly done."""
    import ants  # here, for the chain itself does without

    from brainlapse.preprocessing.registration.transforms import read_world_transform

    template = ants.image_read(str(options.template))
    if options.template_mm:
        template = ants.resample_image(template, (options.template_mm,) * 3)
    began = time.process_time()
    corrected = ants.n4_bias_field_correction(ants.image_read(str(options.scan)))
    found = ants.registration(template, corrected, "Affine")
    seconds = time.process_time() - began
    return seconds, read_world_transform(found["fwdtransforms"][0])


def with_metric(metric: str, sampling: float) -> PreprocessSettings:
    """Return the default settings with another metric of the last level, run by ANTs."""
    *first, last = SETTINGS.registration.levels
    changes = {"metric": metric, "sampling": sampling, "iterations": (100, 50, 20)}
    levels = (*first, last.model_copy(update=changes))
    registration = SETTINGS.registration.model_copy(update={"levels": levels})
    return SETTINGS.model_copy(update={"registration": registration})


def choose(files: list[Path], count: int) -> list[Path]:
    """Spread a number of files over all of them; 0 takes every one."""
    if not files:
        sys.exit("no scans found there")
    return files[:: max(1, len(files) // count)][:count] if count else files


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)

    def add(name, function, **arguments):
        command = commands.add_parser(name, description=function.__doc__)
        for argument, options in arguments.items():
            command.add_argument(argument, **options)
        command.add_argument("--scans", type=int, default=0)
        command.add_argument("--metric", choices=("correlation", "mutual_information"))
        command.add_argument("--sampling", type=float, default=0.25)
        command.set_defaults(function=function)
        return command

    path = {"type": Path}
    heads = add("heads", measure_heads, bids=path, truth=path)
    heads.add_argument("--groups", type=Path, required=True)
    heads.add_argument("--ways", nargs="+", choices=tuple(WAYS))
    add("poses", measure_poses, bids=path).add_argument("--poses", type=int, default=4)
    add("synthetic", measure_synthetic, label_maps=path)
    add("pairs", measure_pairs, files={"type": Path, "nargs": "+"})
    add("intensity", measure_intensity, bids=path)
    speed = add("speed", measure_speed, scan=path, template=path, template_mask=path)
    speed.add_argument("--template-mm", type=float, default=0.0)
    options = parser.parse_args()
    limit_threads(1)
    if options.metric:
        global SETTINGS
        SETTINGS = with_metric(options.metric, options.sampling)
    options.function(options)


if __name__ == "__main__":
    main()
