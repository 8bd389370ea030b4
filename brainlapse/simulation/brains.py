"""Brains drawn directly in MNI space: no head, no preprocessing, but what that leaves behind.

A little pose, a little of the receive field, noise; and a walk of the volumes along the visits,
as real ones show (see `docs/demo-cohort.md`).
"""

import math

import numpy as np

from brainlapse.simulation.acquisition import SITES, draw_rigid, receive_field, record
from brainlapse.simulation.anatomy import AGEING_GRID, Anatomy
from brainlapse.simulation.scans import (
    Shape,
    SimulatedScan,
    fit_head_affine,
    measure_truth,
    render,
)
from brainlapse.simulation.settings import BrainSettings, SimulationSettings
from brainlapse.simulation.subjects import Subject, generator
from brainlapse.simulation.warps import apply_affine, grid_points_mm, sample
from brainlapse.space import BRAIN_CENTRE_MM, Grid, grid_at

FIELD_OF_VIEW_MM = (160.0, 192.0, 160.0)
EVEN = 16  # voxels: every shape is a multiple, as autoencoders want it
SITE = SITES[0]


def brain_grid(voxel_mm: float) -> Grid:
    """Return the MNI grid of a voxel size: at least `space`'s default, so `EVEN` voxels fit."""
    x, y, z = (EVEN * math.ceil(extent / (EVEN * voxel_mm)) for extent in FIELD_OF_VIEW_MM)
    return grid_at(voxel_mm, (x, y, z))


def walk(subject: Subject, settings: BrainSettings, seed: int) -> np.ndarray:
    """Return what a subject's log volumes deviate from the line at each session, (sessions, 3)."""
    rng = generator(seed, subject.name, "walk")
    years = np.diff(subject.ages_years, prepend=subject.ages_years[0])
    steps = rng.standard_normal((len(years), 3)) * np.sqrt(years)[:, None]
    sizes = settings.walk.ventricles, settings.walk.hippocampus, settings.walk.grey_matter
    return np.cumsum(steps * sizes, axis=0)


def simulate_brain(
    anatomy: Anatomy,
    shape: Shape,
    subject: Subject,
    session: int,
    settings: SimulationSettings,
    seed: int,
) -> SimulatedScan:
    """Draw one session of a subject in MNI space.

    All sessions share the affine of the first, as visits do that are processed together.
    """
    brains = settings.brains or BrainSettings()
    rng = generator(seed, subject.name, subject.sessions[session])
    grid = brain_grid(settings.voxel_mm)
    first = subject.log_change_at(subject.ages_years[0])
    first_warp = anatomy.ageing.warp(anatomy.ageing.coefficients_for(first))
    head = fit_head_affine(anatomy, shape, first_warp)  # MNI to the subject's own mm
    log_change = subject.log_change_at(subject.ages_years[session])
    log_change = log_change + walk(subject, brains, seed)[session]
    coefficients = anatomy.ageing.coefficients_for(log_change)
    aged, unaged = (anatomy.ageing.warp(sign * coefficients) for sign in (1, -1))
    jitter = draw_rigid(brains.jitter_degrees, brains.jitter_mm, np.array(BRAIN_CENTRE_MM), rng)
    points_mm = grid_points_mm(grid)
    back = np.linalg.inv(shape.scale) @ head @ jitter
    template_mm = shape.back(apply_affine(back, points_mm))
    near = sample(anatomy.near_brain, AGEING_GRID, template_mm, "constant") > 0.5
    signal = np.zeros(len(near), dtype=np.float32)
    labels = np.zeros(len(near), dtype=np.uint8)
    signal[near], labels[near] = render(anatomy, SITE, template_mm[:, near], unaged)
    centre_mm = np.array(BRAIN_CENTRE_MM, dtype=np.float32)[:, None]
    field = receive_field(points_mm - centre_mm, brains.bias, rng)
    stored = record(signal, field, SITE, settings.noise, rng)
    stored = np.where(labels > 0, np.maximum(stored, 1), 0).astype(stored.dtype)
    return SimulatedScan(
        volume=stored.reshape(grid.shape),
        labels=labels.reshape(grid.shape),
        affine=grid.affine,
        to_mni=np.linalg.inv(head),
        to_person=np.eye(4),
        field=field.reshape(grid.shape),
        volume_mm3=measure_truth(anatomy, shape, aged),
    )
