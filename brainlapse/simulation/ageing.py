"""Ageing as a stationary velocity field with one coefficient per region.

v(coefficients) = sum_r coefficient_r * basis_r, and exp(v) carries the template to an age. Each
basis field has a prescribed divergence (+1 in the ventricles, -1 in hippocampus or cortex),
balanced in its neighbourhood, so a coefficient is nearly a change of log volume. What is left
(the fields overlap, and a wide ventricle outgrows its field) is calibrated: a cubic polynomial
log V(coefficients) is fitted to volumes of the warped template and inverted.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from brainlapse.simulation.warps import (
    Warp,
    exponential,
    halvings,
    velocity_with_divergence,
)
from brainlapse.space import Grid

AGED_REGIONS = ("ventricles", "hippocampus", "grey_matter")
# Reach of the calibration: coefficients of the rays, roughly changes of log volume.
REACH = np.array([2.4, 1.2, 0.6])
VENTRICLE_WALL_MM = 4.0  # the field widens a little more than the ventricles: room to grow
CORRECTIONS = 1


@dataclass(frozen=True)
class AgeingModel:
    """Basis fields and calibration.

    Attributes
    ----------
    basis_mm
        Velocity per unit coefficient, float32 (3 regions, 3, X, Y, Z).
    grid
        Of the basis fields, template space.
    maps
        Soft maps by region on the grid.
    polynomial
        log volume change per monomial, (monomials, 3 regions).
    """

    basis_mm: np.ndarray
    grid: Grid
    maps: dict[str, np.ndarray]
    polynomial: np.ndarray

    def coefficients_for(self, log_change: np.ndarray) -> np.ndarray:
        """Return the coefficients that change log volumes by `log_change`, both (3,).

        The polynomial is inverted; what the warped template then misses is aimed at again.
        """
        aim = np.asarray(log_change, dtype=np.float64)
        coefficients = self._invert(aim)
        for _ in range(CORRECTIONS):
            reached = log_volume_change(self.warp(coefficients), self.maps)
            aim = aim + log_change - reached
            coefficients = self._invert(aim)
        return coefficients

    def _invert(self, log_change: np.ndarray) -> np.ndarray:
        solution = optimize.least_squares(
            lambda guess: _monomials(guess) @ self.polynomial - log_change,
            x0=np.zeros(3),
            bounds=(-1.5 * REACH, 1.5 * REACH),
        )
        return solution.x

    def warp(self, coefficients: np.ndarray) -> Warp:
        """Return the map of template points to their aged place; negate to go back."""
        velocity = np.tensordot(coefficients.astype(np.float32), self.basis_mm, axes=1)
        return exponential(velocity, self.grid)


def build_ageing_model(maps: dict[str, np.ndarray], grid: Grid) -> AgeingModel:
    """Build and calibrate the ageing of a template.

    Parameters
    ----------
    maps
        Soft maps by region on `grid`: the three aged regions, white_matter, csf and brain.
    """
    basis = np.stack([_basis(region, maps, grid) for region in AGED_REGIONS])
    return AgeingModel(basis, grid, maps, _calibrate(basis, maps, grid))


def log_volume_change(warp: Warp, maps: dict[str, np.ndarray]) -> np.ndarray:
    """Return the change of log volume of the aged regions under a warp, (3,)."""
    jacobian = warp.jacobian()
    return np.array(
        [np.log((maps[name] * jacobian).sum() / maps[name].sum()) for name in AGED_REGIONS],
        dtype=np.float64,
    )


def _basis(region: str, maps: dict[str, np.ndarray], grid: Grid) -> np.ndarray:
    source, sink = {
        "ventricles": _ventricle_divergence,
        "hippocampus": _hippocampus_divergence,
        "grey_matter": _cortex_divergence,
    }[region](maps, grid.affine[0, 0])
    balanced = source - sink * (source.sum() / sink.sum())
    return velocity_with_divergence(balanced, grid.affine[0, 0])


def _ventricle_divergence(maps: dict, voxel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    ventricles = maps["ventricles"] > 0.25
    distance_mm = ndimage.distance_transform_edt(~ventricles) * voxel_mm
    source = np.exp(-((distance_mm / VENTRICLE_WALL_MM) ** 2))
    sink = (1 - source) * np.exp(-distance_mm / 14) * (maps["white_matter"] + 0.3 * maps["csf"])
    return source, sink * (1 - maps["hippocampus"])


def _hippocampus_divergence(maps: dict, voxel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    inside = maps["hippocampus"] > 0.25
    source = np.clip(1.5 * ndimage.gaussian_filter(inside.astype(np.float32), 0.6), 0, 1)
    distance_mm = ndimage.distance_transform_edt(~inside) * voxel_mm
    return -source, (1 - source) * np.exp(-distance_mm / 8) * maps["brain"]


def _cortex_divergence(maps: dict, voxel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Cortex gives its volume to the fluid in the sulci and above the brain."""
    distance_mm = ndimage.distance_transform_edt(maps["brain"] < 0.5) * voxel_mm
    above = np.exp(-distance_mm / 4) * (1 - maps["brain"])
    fluid = np.clip(maps["csf"] - maps["ventricles"], 0, 1) + 0.5 * above
    deep = np.maximum(maps["ventricles"], maps["hippocampus"])
    return -maps["grey_matter"] * (1 - deep) - 0.1 * maps["white_matter"], fluid


def _calibrate(basis: np.ndarray, maps: dict, grid: Grid) -> np.ndarray:
    samples, changes = [], []
    rays = [sign * REACH * np.eye(3)[axis] for axis in range(3) for sign in (-1, 1)]
    rays += [0.6 * REACH * signs for signs in itertools.product((-1, 1), repeat=3)]
    rays += [REACH * (1.2, 0.8, sign * 0.4) for sign in (0, 1)]  # the oldest patients
    for ray in rays:
        velocity = np.tensordot(ray.astype(np.float32), basis, axes=1)
        for halved, warp in enumerate(reversed(halvings(velocity, grid)[-3:])):
            samples.append(ray / 2**halved)
            changes.append(log_volume_change(warp, maps))
    return np.linalg.lstsq(_monomials(np.array(samples)), np.array(changes), rcond=None)[0]


def _monomials(coefficients: np.ndarray) -> np.ndarray:
    """Return all products of one to three coefficients, (..., 19)."""
    columns = [
        np.prod(coefficients[..., list(factors)] / REACH[list(factors)], axis=-1)
        for degree in (1, 2, 3)
        for factors in itertools.combinations_with_replacement(range(3), degree)
    ]
    return np.stack(columns, axis=-1)
