"""What hides the change within a person: replace one thing at a time by the truth.

    python -m benchmarks.diagnose_visits FOLDER [--subjects 8] [--voxel-mm 2] [--way NAME ...]

Heads of the demo cohort are simulated, and each visit goes through preprocessing as a stranger's,
with one or several things replaced by the truth (pose, mask, bias field, intensity scale, noise),
on the models' grid and at 1 mm, and together with the person's other visits. Of each way are
printed: measured over planted yearly change of the native volumes, the correlation of the two over
subjects, and the cosine of the change from visit 1 to 2 with that from 2 to 3, of the latents of
the network that comes along and of block means of 10 mm: 1 if all is steady change, -0.5 if all is
noise of single visits. FOLDER keeps the features of each subject; subjects found there are not
measured again. One thread.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from brainlapse import runtime
from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.longitudinal.comparison import compare_visits
from brainlapse.preprocessing.longitudinal.field import remove_difference
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.resampling import resample_inside, resample_mask
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.segmentation.embedded.network import GRID, load_network, segment_brain
from brainlapse.segmentation.embedded.placing import place_mni_brain, take_prepared
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.segmentation.labels import group_volumes
from brainlapse.simulation.anatomy import build_anatomy
from brainlapse.simulation.scans import SimulatedScan, build_shape, simulate_scan
from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import plan_subjects
from brainlapse.space import Grid, grid_at
from brainlapse.template import load_template
from brainlapse.training.encoding.passes import encode_volumes, load_model
from brainlapse.training.model.start_settings import PRETRAINED
from brainlapse.training.settings import EncodingSettings

SEED = 0
SETTINGS = PreprocessSettings()
VOXEL_MM = SETTINGS.registration.voxel_mm
MODELS_GRID = grid_at(2.5, (64, 80, 64))
GRIDS = {"2.5 mm": MODELS_GRID, "1 mm": GRID}
FAINTEST = np.float32(1e-3)  # of fluid: what is 0 is outside the brain
BLOCK_MM = 10.0
REGIONS = ("ventricles", "lateral_ventricles", "hippocampus", "grey_matter", "white_matter")
EVERYTHING = ("pose", "mask", "bias", "scale")
WAYS = {
    "as a stranger": (),
    "true pose": ("pose",),
    "true mask": ("mask",),
    "true bias field": ("bias",),
    "true scale": ("scale",),
    "no noise": ("noise",),
    "true pose, mask, bias, scale": EVERYTHING,
    "the same, no noise": (*EVERYTHING, "noise"),
    "together": ("together",),
}
ON_BOTH_GRIDS = ("as a stranger", "true pose, mask, bias, scale", "the same, no noise", "together")


@dataclass(frozen=True)
class Measured:
    """A visit after mask, bias correction and registration of its own; arrays in RAS+ order.

    Attributes
    ----------
    truth
        What was simulated.
    clean
        The same without noise, air at 0, (X, Y, Z).
    raw, log_field, mask, affine
        The scan with air at 0, the field that N4 found, the mask that deepbet found.
    true_field, true_mask
        The receive field; the first visit's brain carried to this one.
    transform
        Template world to scan world mm, (4, 4).
    """

    truth: SimulatedScan
    clean: np.ndarray
    raw: np.ndarray
    log_field: np.ndarray
    mask: np.ndarray
    affine: np.ndarray
    true_field: np.ndarray
    true_mask: np.ndarray
    transform: np.ndarray


def measure_visit(scan: SimulatedScan, clean: SimulatedScan, first: SimulatedScan) -> Measured:
    """Run the steps that know nothing of the other visits."""
    raw, clean_raw, field, labels = (
        to_canonical(np.asarray(one, np.float32), scan.affine)[0]
        for one in (scan.volume, clean.volume, scan.field, scan.labels)
    )
    affine = to_canonical(scan.labels, scan.affine)[1]
    target = registration_target(VOXEL_MM)
    mask = find_brain(raw, affine, target, SETTINGS.mask).mask
    raw = remove_offset(raw)
    log_field = estimate_log_field(raw, mask, affine, SETTINGS.bias)
    brain = prepare_brain(remove_field(raw, log_field), mask, affine, VOXEL_MM)
    grid = Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)
    back = np.linalg.inv(first.to_person) @ scan.to_person  # this scan's world to the first's
    first_brain = resample_to_grid(first.labels > 0, first.affine, grid, back)
    return Measured(
        truth=scan,
        clean=remove_offset(clean_raw),
        raw=raw,
        log_field=log_field,
        mask=mask,
        affine=affine,
        true_field=field,
        true_mask=first_brain > 0.5,
        transform=register_brain(target, brain, SETTINGS.registration)[-1],
    )


def prepare(visit: Measured, first: Measured, way: tuple[str, ...], grid: Grid) -> dict:
    """Bring a visit to the grid with some things replaced by the truth; image and determinant."""
    if "together" in way:
        return bring_together(visit, first, grid)
    head = visit.clean if "noise" in way else visit.raw
    log_field = np.log(visit.true_field) if "bias" in way else visit.log_field
    mask = visit.true_mask if "mask" in way else visit.mask
    transform = visit.transform
    if "pose" in way:
        shared = first.truth.to_mni @ np.linalg.inv(first.truth.to_person)
        transform = np.linalg.inv(shared @ visit.truth.to_person)
    inside = resample_mask(mask, visit.affine, grid, transform, SETTINGS.resampling)
    stripped = resample_inside(
        remove_field(head, log_field), visit.affine, grid, transform, inside, SETTINGS.resampling
    )
    anchors = None
    if "scale" in way:
        off = (log_field - np.log(visit.true_field))[visit.mask].mean()
        stripped = stripped * np.float32(np.exp(off))
        anchors = true_anchors(first, grid)
    image = scale(stripped, inside, anchors)
    return {"image": image, "determinant": 1 / abs(np.linalg.det(transform[:3, :3]))}


def scale(
    stripped: np.ndarray, inside: np.ndarray, anchors: tuple[float, float] | None
) -> np.ndarray:
    """Normalise, and keep all of the brain above 0."""
    image = normalise(stripped, inside, SETTINGS.intensity, anchors)
    return np.where(inside, np.maximum(image, FAINTEST), 0)


def true_anchors(first: Measured, grid: Grid) -> tuple[float, float]:
    """Anchors of the first visit, its true field removed."""
    corrected = first.raw / first.true_field
    transform = np.linalg.inv(first.truth.to_mni)
    inside = resample_mask(first.true_mask, first.affine, grid, transform, SETTINGS.resampling)
    brain = resample_inside(corrected, first.affine, grid, transform, inside, SETTINGS.resampling)
    return find_anchors(brain[inside], SETTINGS.intensity, load_template(grid).white[inside])


def bring_together(visit: Measured, first: Measured, grid: Grid) -> dict:
    """Process a visit with the person's first, as the longitudinal stage does."""
    heads = [remove_field(one.raw, one.log_field) for one in (first, visit)]
    root = Root("first", heads[0], first.mask, first.affine, first.transform)
    resampling = SETTINGS.resampling
    inside = resample_mask(root.mask, root.affine, grid, root.transform, resampling)
    brain = resample_inside(heads[0], root.affine, grid, root.transform, inside, resampling)
    anchors = find_anchors(brain[inside], SETTINGS.intensity, load_template(grid).white[inside])
    transform = root.transform
    if visit is not first:
        later = Visit("later", heads[1], visit.mask, visit.affine)
        pair = compare_visits(root, later, VOXEL_MM, SETTINGS.longitudinal)
        transform = pair.transform
        brain = resample_inside(heads[1], visit.affine, grid, transform, inside, resampling)
        brain = remove_difference(brain, pair.log_field, grid)
    image = scale(brain, inside, anchors)
    return {"image": image, "determinant": 1 / abs(np.linalg.det(transform[:3, :3]))}


class Instruments:
    """Measures images: volumes, latents, block means."""

    def __init__(self) -> None:
        self.network = load_network(cpu=True)
        self.model = load_model(PRETRAINED)

    def features(
        self, image: np.ndarray, determinant: float, grid: Grid, shared: bool
    ) -> dict[str, np.ndarray]:
        """Native volumes of `REGIONS`, block means, and latents on the models' grid.

        Where the visits share mask and scale (`shared`), the segmenter at 1 mm keeps them.
        """
        scaled = grid is GRID and shared
        placed = (take_prepared if scaled else place_mni_brain)(image, grid.affine)
        posteriors = segment_brain(
            placed.volume, placed.mask, self.network, fast=True, scaled=scaled
        )
        volumes = group_volumes(structure_volumes(posteriors, GRID.voxel_volume_mm3))
        found = {
            "volumes": np.array([volumes[region] / determinant for region in REGIONS]),
            "blocks": block_means(image, round(BLOCK_MM / grid.affine[0, 0])),
        }
        if grid is MODELS_GRID:
            settings, device = EncodingSettings(batch_size=1), torch.device("cpu")
            found["latents"] = next(encode_volumes(self.model, [image], settings, device))[0]
        return found


def block_means(image: np.ndarray, edge: int) -> np.ndarray:
    """Average blocks of `edge` voxels; what does not fill a block is left out."""
    x, y, z = (size // edge for size in image.shape)
    cut = image[: x * edge, : y * edge, : z * edge].astype(float)
    return cut.reshape(x, edge, y, edge, z, edge).mean(axis=(1, 3, 5))


def measure_subject(
    subject, settings: SimulationSettings, instruments: Instruments, ways: list[str]
) -> dict[str, np.ndarray]:
    """Features of all visits of one subject, by way, grid and kind: (visits, ...)."""
    anatomy = build_anatomy()
    shape = build_shape(anatomy, subject, settings, SEED)
    quiet = settings.model_copy(update={"noise": 0.0})
    numbers = range(settings.sessions)
    scans, cleans = (
        [simulate_scan(anatomy, shape, subject, k, one, SEED) for k in numbers]
        for one in (settings, quiet)
    )
    visits = [measure_visit(*pair, scans[0]) for pair in zip(scans, cleans, strict=True)]
    found: dict[str, list[np.ndarray]] = {}
    for way in ways:
        replaced = WAYS[way]
        for name, grid in GRIDS.items():
            if grid is not MODELS_GRID and way not in ON_BOTH_GRIDS:
                continue
            for visit in visits:
                prepared = prepare(visit, visits[0], replaced, grid)
                shared = bool({"scale", "together"} & set(replaced))
                features = instruments.features(**prepared, grid=grid, shared=shared)
                for kind, values in features.items():
                    found.setdefault(f"{way}|{name}|{kind}", []).append(values)
    truth = [[scan.volume_mm3[region] for region in REGIONS] for scan in scans]
    return {
        **{key: np.stack(values) for key, values in found.items()},
        "truth": np.array(truth),
        "ages_years": np.array(subject.ages_years),
        "patient": np.array(subject.diagnosis == "patient"),
    }


def tabulate(subjects: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    """Return a row per way and grid."""
    planted = np.array([rates(one["truth"], one["ages_years"]) for one in subjects])
    patients = np.array([bool(one["patient"]) for one in subjects])
    rows = []
    for way in WAYS:
        for grid in GRIDS:
            if f"{way}|{grid}|volumes" not in subjects[0]:
                continue
            key = f"{way}|{grid}|"
            measured = np.array(
                [rates(one[f"{key}volumes"], one["ages_years"]) for one in subjects]
            )
            row: dict[str, object] = {"way": way, "grid": grid}
            for number, region in enumerate(REGIONS):
                pair = measured[:, number], planted[:, number]
                row[f"{region} [%]"] = round(100 * pair[0].mean() / pair[1].mean())
                row[f"{region} r"] = round(float(np.corrcoef(*pair)[0, 1]), 2)
            for kind in ("latents", "blocks"):
                if f"{key}{kind}" in subjects[0]:
                    values = np.array([steadiness(one[f"{key}{kind}"]) for one in subjects])
                    groups = (values, values[~patients], values[patients])
                    row[kind] = " / ".join(f"{group.mean():.2f}" for group in groups)
            rows.append(row)
    return pd.DataFrame(rows)


def rates(volumes: np.ndarray, ages_years: np.ndarray) -> np.ndarray:
    """Yearly change of log volumes (visits, regions)."""
    return np.polyfit(ages_years, np.log(volumes), 1)[0]


def steadiness(features: np.ndarray) -> float:
    """Cosine of the first change with the second, of features (3, ...)."""
    first, second = np.diff(features[:3].reshape(3, -1).astype(float), axis=0)
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def main() -> None:
    """Measure the subjects that are missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=8)
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--voxel-mm", type=float, default=2.0)
    options = parser.parse_args()
    runtime.limit_threads(1)
    settings = SimulationSettings(voxel_mm=options.voxel_mm)
    options.folder.mkdir(parents=True, exist_ok=True)
    instruments = Instruments()
    found = []
    for subject in plan_subjects(settings, SEED)[: options.subjects]:
        path = options.folder / f"{subject.name}.npz"
        if not path.exists():
            began = time.process_time()
            np.savez(path, **measure_subject(subject, settings, instruments, options.way))
            print(f"{subject.name}: {time.process_time() - began:.0f} CPU s", flush=True)
        found.append(dict(np.load(path)))
    with pd.option_context("display.width", 250, "display.max_columns", 30):
        print(tabulate(found).to_string(index=False))


if __name__ == "__main__":
    main()
