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
REACH = np.array([1.9, 0.7, 0.35])


@dataclass(frozen=True)
class AgeingModel:
    """Basis fields and calibration.

    Attributes
    ----------
    basis_mm
        Velocity per unit coefficient, float32 (3 regions, 3, X, Y, Z).
    grid
        Of the basis fields, template space.
    polynomial
        log volume change per monomial, (monomials, 3 regions).
    """

    basis_mm: np.ndarray
    grid: Grid
    polynomial: np.ndarray

    def coefficients_for(self, log_change: np.ndarray) -> np.ndarray:
        """Return the coefficients that change log volumes by `log_change`, both (3,)."""
        solution = optimize.least_squares(
            lambda guess: _monomials(guess) @ self.polynomial - log_change,
            x0=log_change * np.array([1, 1, 1]),
            bounds=(-2 * REACH, 2 * REACH),
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
    return AgeingModel(basis, grid, _calibrate(basis, maps, grid))


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
    source = np.clip(1.5 * ndimage.gaussian_filter(ventricles.astype(np.float32), 0.8), 0, 1)
    distance_mm = ndimage.distance_transform_edt(~ventricles) * voxel_mm
    return source, (1 - source) * np.exp(-distance_mm / 14) * maps["brain"]


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
    return -maps["grey_matter"] * (1 - deep) - 0.3 * maps["white_matter"], fluid


def _calibrate(basis: np.ndarray, maps: dict, grid: Grid) -> np.ndarray:
    before = {region: maps[region].sum() for region in AGED_REGIONS}
    samples, changes = [], []
    rays = [sign * REACH * np.eye(3)[axis] for axis in range(3) for sign in (-1, 1)]
    rays += [0.6 * REACH * signs for signs in itertools.product((-1, 1), repeat=3)]
    for ray in rays:
        velocity = np.tensordot(ray.astype(np.float32), basis, axes=1)
        for halved, warp in enumerate(reversed(halvings(velocity, grid)[-3:])):
            jacobian = warp.jacobian()
            samples.append(ray / 2**halved)
            changes.append(
                [np.log((maps[name] * jacobian).sum() / before[name]) for name in AGED_REGIONS]
            )
    return np.linalg.lstsq(_monomials(np.array(samples)), np.array(changes), rcond=None)[0]


def _monomials(coefficients: np.ndarray) -> np.ndarray:
    """Return all products of one to three coefficients, (..., 19)."""
    columns = [
        np.prod(coefficients[..., list(factors)] / REACH[list(factors)], axis=-1)
        for degree in (1, 2, 3)
        for factors in itertools.combinations_with_replacement(range(3), degree)
    ]
    return np.stack(columns, axis=-1)
