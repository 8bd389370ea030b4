"""Smooth diffeomorphisms as exponentials of stationary velocity fields.

Arsigny et al. (2006), MICCAI: scaling and squaring. Fields are float32 (3, X, Y, Z) in mm, on
an axis-aligned RAS grid; points are world mm, (3, N).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.space import Grid

SQUARINGS = 4


def axis_aligned_grid(low_mm: tuple, high_mm: tuple, voxel_mm: float) -> Grid:
    """Return the RAS grid whose voxel centres run from `low_mm` to about `high_mm`."""
    span_mm = np.subtract(high_mm, low_mm)
    x, y, z = (round(float(span) / voxel_mm) + 1 for span in span_mm)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = low_mm
    return Grid(shape=(x, y, z), affine=affine)


def grid_points_mm(grid: Grid) -> np.ndarray:
    """Return the voxel centres of a grid as world mm, float32 (3, N)."""
    indices = np.indices(grid.shape, dtype=np.float32).reshape(3, -1)
    return apply_affine(grid.affine, indices)


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (3, N) by a (4, 4) affine, in float32."""
    matrix = affine.astype(np.float32)
    return matrix[:3, :3] @ points + matrix[:3, 3:]


def sample(volume: np.ndarray, grid: Grid, points_mm: np.ndarray, mode: str) -> np.ndarray:
    """Interpolate a volume linearly at points, float32 (N,)."""
    indices = apply_affine(np.linalg.inv(grid.affine), points_mm)
    return ndimage.map_coordinates(
        volume, indices, order=1, mode=mode, prefilter=False, output=np.float32
    )


@dataclass(frozen=True)
class Warp:
    """A displacement field on a grid: point -> point + displacement(point).

    Attributes
    ----------
    displacement_mm
        float32 (3, X, Y, Z).
    grid
        Where it is sampled; beyond it the nearest edge value holds.
    """

    displacement_mm: np.ndarray
    grid: Grid

    def __call__(self, points_mm: np.ndarray) -> np.ndarray:
        """Map points, world mm, (3, N)."""
        indices = apply_affine(np.linalg.inv(self.grid.affine), points_mm)
        moved = np.array(points_mm, dtype=np.float32)
        for axis in range(3):
            moved[axis] += ndimage.map_coordinates(
                self.displacement_mm[axis], indices, order=1, mode="nearest", prefilter=False
            )
        return moved

    def jacobian(self) -> np.ndarray:
        """Return the Jacobian determinant on the grid, float32 (X, Y, Z)."""
        voxel_mm = self.grid.affine[0, 0]
        gradient = np.empty((3, 3, *self.grid.shape), dtype=np.float32)
        for axis in range(3):
            gradient[axis] = np.gradient(self.displacement_mm[axis], voxel_mm)
            gradient[axis, axis] += 1
        a, b, c = gradient
        return (
            a[0] * (b[1] * c[2] - b[2] * c[1])
            - a[1] * (b[0] * c[2] - b[2] * c[0])
            + a[2] * (b[0] * c[1] - b[1] * c[0])
        )


def exponential(velocity_mm: np.ndarray, grid: Grid) -> Warp:
    """Integrate a stationary velocity field over one unit of time."""
    return halvings(velocity_mm, grid)[-1]


def halvings(velocity_mm: np.ndarray, grid: Grid) -> list[Warp]:
    """Return exp(v / 2^n), ..., exp(v / 2), exp(v): what scaling and squaring passes through."""
    points_mm = grid_points_mm(grid)
    displacement = velocity_mm.astype(np.float32) / 2**SQUARINGS
    warps = [Warp(displacement, grid)]
    for _ in range(SQUARINGS):
        once = warps[-1]
        moved = points_mm + once.displacement_mm.reshape(3, -1)
        twice = once(moved) - points_mm
        warps.append(Warp(twice.reshape(3, *grid.shape), grid))
    return warps


def random_velocity(
    rng: np.random.Generator, grid: Grid, kernel_mm: float, amplitude_mm: float
) -> np.ndarray:
    """Draw white noise smoothed to a kernel and scaled to a standard deviation, (3, X, Y, Z)."""
    sigma = kernel_mm / grid.affine[0, 0]
    noise = rng.standard_normal((3, *grid.shape), dtype=np.float32)
    smooth = np.stack([ndimage.gaussian_filter(part, sigma, mode="wrap") for part in noise])
    return smooth * np.float32(amplitude_mm / smooth.std())


def velocity_with_divergence(divergence: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Return the irrotational velocity of a given divergence, float32 (3, X, Y, Z).

    Solves the Poisson equation with the Fourier transform (periodic); the mean of the
    divergence is removed, since a periodic flow keeps the total volume.
    """
    frequencies = [
        2 * np.pi * np.fft.fftfreq(size, voxel_mm).astype(np.float32) for size in divergence.shape
    ]
    frequencies[-1] = np.abs(frequencies[-1][: divergence.shape[-1] // 2 + 1])
    waves = np.meshgrid(*frequencies, indexing="ij", sparse=True)
    squared = sum(wave**2 for wave in waves)
    squared[0, 0, 0] = 1
    potential = -np.fft.rfftn(divergence - divergence.mean()) / squared
    parts = [
        np.fft.irfftn(1j * wave * potential, s=divergence.shape, axes=(0, 1, 2)) for wave in waves
    ]
    return np.stack(parts).astype(np.float32)
