"""The scanner: grid and header, contrast of the site, receive field, noise."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from brainlapse.simulation.settings import SimulationSettings
from brainlapse.space import Grid

FIELD_OF_VIEW_MM = (208.0, 244.0, 244.0)  # right, anterior, superior
VIEW_CENTRE_MM = (0.0, -8.0, -12.0)  # template point that the operator puts in the middle
OFF_CENTRE_MM = 4.0
HEAD_CENTRE_MM = (0.0, -15.0, 0.0)  # rotations turn about it
TEMPLATE_KNOTS = (0.0, 0.17, 0.32, 0.75, 1.0, 1.2)  # template T1: fluid 0.32, grey 0.75, white 1
DIRECTIONS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class Site:
    """One scanner: intensities relative to white matter, header conventions, number type."""

    name: str
    axes: str
    oblique_degrees: float
    grey: float
    fluid: float
    fat: float
    muscle: float
    gamma: float
    gain: float
    dtype: type[np.generic]

    @property
    def tissues(self) -> dict[str, float]:
        """Intensity of every tissue of the head."""
        return {
            "fluid": self.fluid,
            "bone": 0.07,
            "marrow": 0.62 * self.fat,
            "fat": self.fat,
            "muscle": self.muscle,
            "skin": 0.6,
            "cord": 0.92,
        }


SITES = (
    Site("site-1", "PSR", 0.0, 0.74, 0.24, 1.25, 0.50, 1.00, 520.0, np.int16),
    Site("site-2", "LIA", 9.0, 0.67, 0.18, 1.45, 0.42, 1.10, 1.0, np.float32),
    Site("site-3", "LAS", 0.0, 0.79, 0.32, 1.10, 0.56, 0.92, 7000.0, np.int16),
)


def draw_pose(settings: SimulationSettings, rng: np.random.Generator) -> np.ndarray:
    """Return where the head lies: subject mm to scanner mm, (4, 4), rigid."""
    return draw_rigid(settings.pose_degrees, settings.pose_mm, np.array(HEAD_CENTRE_MM), rng)


def draw_rigid(
    degrees: float, mm: float, centre: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a rigid map (4, 4): turns up to `degrees` about a centre [mm], shifts up to `mm`."""
    angles = rng.uniform(-degrees, degrees, 3)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    shift = rng.uniform(-mm, mm, 3)
    pose[:3, 3] = centre - pose[:3, :3] @ centre + shift
    return pose


def draw_grid(
    settings: SimulationSettings,
    site: Site,
    centre_mm: np.ndarray,
    rng: np.random.Generator,
) -> Grid:
    """Return the scan's grid, with the site's axis order, around a point in scanner mm."""
    angles = rng.uniform(-site.oblique_degrees, site.oblique_degrees, 3)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    axes = [DIRECTIONS[code] for code in site.axes]
    i, j, k = (round(FIELD_OF_VIEW_MM[axis] / settings.voxel_mm) for axis, _ in axes)
    affine = np.eye(4)
    for column, (axis, sign) in enumerate(axes):
        affine[:3, column] = turn[:, axis] * sign * settings.voxel_mm
    centre = centre_mm + rng.uniform(-OFF_CENTRE_MM, OFF_CENTRE_MM, 3)
    affine[:3, 3] = centre - affine[:3, :3] @ (np.array((i, j, k)) - 1) / 2
    return Grid(shape=(i, j, k), affine=affine)


def brain_contrast(t1: np.ndarray, site: Site) -> np.ndarray:
    """Map template intensities to the contrast of a site."""
    values = (0.0, 0.75 * site.fluid, site.fluid, site.grey, 1.0, 1.12)
    return np.interp(t1, TEMPLATE_KNOTS, values).astype(np.float32)


def receive_field(points_mm: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth multiplicative field around 1 at points (3, N) in scanner mm."""
    scaled = points_mm / np.float32(130.0)
    x, y, z = scaled
    terms = (x, y, z, x * y, y * z, x * z, x * x, y * y, z * z)
    weights = rng.standard_normal(len(terms)).astype(np.float32)
    field = sum(weight * term for weight, term in zip(weights, terms, strict=True))
    field = field - field.mean()
    return 1 + np.float32(strength) * np.clip(field / np.percentile(np.abs(field[::50]), 98), -1, 1)


def record(
    signal: np.ndarray,
    field: np.ndarray,
    site: Site,
    noise: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return what the scanner stores for a noiseless signal: gamma, field, Rician noise, gain."""
    real = np.power(signal, np.float32(site.gamma)) * field
    real = real + noise * rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = noise * rng.standard_normal(signal.shape, dtype=np.float32)
    stored = site.gain * np.hypot(real, imaginary)
    if site.dtype is np.int16:
        stored = np.clip(np.rint(stored), 0, np.iinfo(np.int16).max)
    return stored.astype(site.dtype)
