"""One subject in every session: warps composed, the head sampled once, truth measured."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.simulation.acquisition import (
    SITES,
    VIEW_CENTRE_MM,
    Site,
    brain_contrast,
    draw_grid,
    draw_pose,
    receive_field,
    record,
)
from brainlapse.simulation.anatomy import (
    AGEING_GRID,
    BRAIN_GRID,
    HEAD_GRID,
    LABELS,
    Anatomy,
)
from brainlapse.simulation.regions import REGIONS
from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import Subject, generator
from brainlapse.simulation.warps import (
    Warp,
    apply_affine,
    axis_aligned_grid,
    exponential,
    grid_points_mm,
    random_velocity,
    sample,
    velocity_with_divergence,
)

SHAPE_GRID = axis_aligned_grid((-108, -152, -200), (108, 136, 120), 4.0)
SHAPE_KERNELS_MM = ((20.0, 0.8), (11.0, 0.45))  # kernel, share of the amplitude
CEREBELLUM_MM = ((22, -64, -36), (-22, -64, -36))
CEREBELLUM_RADIUS_MM = 15.0
PATIENT_CEREBELLUM = -0.30  # log volume


@dataclass(frozen=True)
class Shape:
    """A subject's anatomy against the template, at template age.

    Attributes
    ----------
    scale
        Template mm to subject mm, (4, 4), applied after the warp.
    forward
        The warp from template points to (unscaled) subject points.
    back
        The warp from (unscaled) subject points to template points.
    jacobian
        Determinant of template to subject, scale included, on SHAPE_GRID, float32.
    """

    scale: np.ndarray
    forward: Warp
    back: Warp
    jacobian: np.ndarray


@dataclass(frozen=True)
class SimulatedScan:
    """A raw scan and what is true of it.

    Attributes
    ----------
    volume, labels
        As stored, (X, Y, Z); labels uint8, see LABELS.
    affine
        Voxel to scanner mm (RAS).
    to_mni
        Scanner mm to MNI mm, (4, 4).
    to_person
        Scanner mm to mm in the person's own space, (4, 4), rigid: the same in all visits.
    field
        The receive field that the signal was multiplied by, (X, Y, Z), about 1.
    volume_mm3
        Native regional volumes.
    """

    volume: np.ndarray
    labels: np.ndarray
    affine: np.ndarray
    to_mni: np.ndarray
    to_person: np.ndarray
    field: np.ndarray
    volume_mm3: dict[str, float]


def build_shape(
    anatomy: Anatomy, subject: Subject, settings: SimulationSettings, seed: int
) -> Shape:
    """Draw a subject's diffeomorphism and size."""
    rng = generator(seed, subject.name, "shape")
    velocity = np.sum(
        [
            random_velocity(rng, SHAPE_GRID, kernel_mm, share * settings.shape_mm)
            for kernel_mm, share in SHAPE_KERNELS_MM
        ],
        axis=0,
    )
    velocity = velocity * _calm_outside(anatomy)
    if subject.patient_shape:
        velocity = velocity + _patient_velocity()
    forward = exponential(velocity, SHAPE_GRID)
    scale = np.diag([*subject.scale, 1.0])
    return Shape(
        scale=scale,
        forward=forward,
        back=exponential(-velocity, SHAPE_GRID),
        jacobian=forward.jacobian() * np.float32(np.prod(subject.scale)),
    )


def fit_head_affine(anatomy: Anatomy, shape: Shape, aged: Warp) -> np.ndarray:
    """Return the affine part of template mm to subject mm over the aged brain, (4, 4)."""
    template_mm = grid_points_mm(AGEING_GRID)[:, anatomy.coarse_maps["brain"].ravel() > 0.5]
    subject_mm = apply_affine(shape.scale, shape.forward(aged(template_mm)))
    return fit_affine(template_mm, subject_mm)


def fit_affine(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the affine (4, 4) that maps points to targets, (3, N), by least squares."""
    rows = np.vstack([points, np.ones(points.shape[1])]).T.astype(np.float64)
    affine = np.eye(4)
    affine[:3] = np.linalg.lstsq(rows, targets.T.astype(np.float64), rcond=None)[0].T
    return affine


def _calm_outside(anatomy: Anatomy) -> np.ndarray:
    """Return 1 in the brain, falling to 0.4 outside, so that the skin stays smooth."""
    brain = sample(
        anatomy.coarse_maps["brain"], AGEING_GRID, grid_points_mm(SHAPE_GRID), "constant"
    )
    distance = ndimage.distance_transform_edt(brain.reshape(SHAPE_GRID.shape) < 0.5)
    distance_mm = (distance * SHAPE_GRID.affine[0, 0]).astype(np.float32)
    return 0.4 + 0.6 * np.exp(-((distance_mm / 22) ** 2))


def _patient_velocity() -> np.ndarray:
    """Shrink the cerebellum."""
    points_mm = grid_points_mm(SHAPE_GRID)
    divergence = np.zeros(points_mm.shape[1], dtype=np.float32)
    for centre in CEREBELLUM_MM:
        squared = ((points_mm - np.array(centre, dtype=np.float32)[:, None]) ** 2).sum(axis=0)
        divergence += PATIENT_CEREBELLUM * np.exp(-squared / (2 * CEREBELLUM_RADIUS_MM**2))
    return velocity_with_divergence(divergence.reshape(SHAPE_GRID.shape), SHAPE_GRID.affine[0, 0])


def simulate_scan(
    anatomy: Anatomy,
    shape: Shape,
    subject: Subject,
    session: int,
    settings: SimulationSettings,
    seed: int,
) -> SimulatedScan:
    """Simulate one session of a subject."""
    site = SITES[subject.site]
    rng = generator(seed, subject.name, subject.sessions[session])
    pose = draw_pose(settings, rng)
    centre = apply_affine(pose @ shape.scale, np.array(VIEW_CENTRE_MM, dtype=np.float32)[:, None])
    grid = draw_grid(settings, site, centre[:, 0], rng)
    points_mm = grid_points_mm(grid)
    back = np.linalg.inv(pose @ shape.scale)
    template_mm = shape.back(apply_affine(back, points_mm))
    log_change = subject.log_change_at(subject.ages_years[session])
    coefficients = anatomy.ageing.coefficients_for(log_change)
    aged, unaged = (anatomy.ageing.warp(sign * coefficients) for sign in (1, -1))
    signal, labels = render(anatomy, site, template_mm, unaged)
    field = receive_field(points_mm - centre, settings.bias, rng)
    stored = record(signal, field, site, settings.noise, rng)
    return SimulatedScan(
        volume=stored.reshape(grid.shape),
        labels=labels.reshape(grid.shape),
        affine=grid.affine,
        to_mni=np.linalg.inv(pose @ fit_head_affine(anatomy, shape, aged)),
        to_person=np.linalg.inv(pose),
        field=field.reshape(grid.shape),
        volume_mm3=measure_truth(anatomy, shape, aged),
    )


def render(
    anatomy: Anatomy, site: Site, template_mm: np.ndarray, unaged: Warp
) -> tuple[np.ndarray, np.ndarray]:
    """Return noiseless signal and labels at template points; only the brain ages."""
    tissues = site.tissues
    head = np.zeros(HEAD_GRID.shape, dtype=np.float32)
    for name, share in anatomy.head.items():
        head += np.float32(tissues[name]) * share
    signal = sample(head, HEAD_GRID, template_mm, "constant")
    labels = np.zeros(signal.shape, dtype=np.uint8)
    near = np.flatnonzero(sample(anatomy.near_brain, AGEING_GRID, template_mm, "constant") > 0.5)
    brain_mm = unaged(template_mm[:, near])
    cover = sample(anatomy.maps["brain"], BRAIN_GRID, brain_mm, "constant")
    inside = np.flatnonzero(cover > 0.01)
    near, brain_mm, cover = near[inside], brain_mm[:, inside], cover[inside]
    t1 = sample(anatomy.t1, BRAIN_GRID, brain_mm, "constant") / np.maximum(cover, 0.01)
    signal[near] += cover * (brain_contrast(t1, site) - signal[near])
    labels[near] = _label(anatomy, brain_mm, cover)
    return signal, labels


def _label(anatomy: Anatomy, points_mm: np.ndarray, cover: np.ndarray) -> np.ndarray:
    parts = {name: sample(anatomy.maps[name], BRAIN_GRID, points_mm, "constant") for name in LABELS}
    tissues = ("csf", "grey_matter", "white_matter")
    labels = 1 + np.argmax([parts[name] for name in tissues], axis=0)
    for part, whole in (("ventricles", "csf"), ("hippocampus", "grey_matter")):
        mostly = parts[part] > 0.5 * parts[whole]
        labels[(labels == LABELS[whole]) & mostly] = LABELS[part]
    labels[cover <= 0.5] = 0
    return labels.astype(np.uint8)


def measure_truth(anatomy: Anatomy, shape: Shape, aged: Warp) -> dict[str, float]:
    """Integrate the soft maps with the Jacobian of template to subject [mm3, native]."""
    aged_mm = aged(grid_points_mm(AGEING_GRID))
    of_shape = sample(shape.jacobian, SHAPE_GRID, aged_mm, "nearest").reshape(AGEING_GRID.shape)
    voxels_mm3 = aged.jacobian() * of_shape * np.float32(AGEING_GRID.voxel_volume_mm3)
    return {
        name: float((anatomy.coarse_maps[name] * voxels_mm3).sum(dtype=np.float64))
        for name in REGIONS
    }
