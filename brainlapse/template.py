"""The ICBM152 2009a nonlinear symmetric template that travels in nilearn's wheel.

Fonov et al. (2011), NeuroImage 54:313-327. T1, grey and white matter at 1 mm, skull-stripped.
Only the files are used; importing nilearn itself would cost every job a second.
"""

import functools
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainlapse.images import load_canonical, resample_to_grid
from brainlapse.space import Grid

TEMPLATE_NAME = "ICBM152 2009a nonlinear symmetric (nilearn)"
FILE_PATTERN = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
FULL_SCALE = 255.0

CSF_THRESHOLD = 0.4
VENTRICLE_DEPTH_MM = 18.0  # deeper below the brain's surface than any sulcus beside them
VENTRICLE_BOX_MM = ((-44, 44), (-62, 42), (-22, 36))
VENTRICLE_MARGIN_MM = 8.0  # room for ventricles that are wider than the template's
# Axis of the right hippocampus from head to tail, world mm; the left one is its mirror image.
HIPPOCAMPUS_AXIS_MM = ((22, -9, -20), (27, -18, -18), (30, -28, -11), (27, -36, -5))
HIPPOCAMPUS_RADIUS_MM = 6.5
HIPPOCAMPUS_GREY = 0.4


@dataclass(frozen=True)
class Template:
    """The template on one grid; every array has the grid's shape.

    Attributes
    ----------
    t1
        Intensity, about 1 in white matter, 0 outside the brain.
    grey, white
        Tissue probabilities, 0 to 1.
    brain_mask
        Brain with its ventricles and sulcal fluid, bool.
    ventricle_region
        Where lateral and third ventricles may lie, also wide ones; no other fluid, bool.
    hippocampus_region
        Grey matter within 6.5 mm of the hippocampal axes, bool; a planted region for
        simulations, not an anatomical label.
    """

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    brain_mask: np.ndarray
    ventricle_region: np.ndarray
    hippocampus_region: np.ndarray


def template_paths() -> dict[str, Path]:
    """Return the template's files by image: t1, grey, white.

    Raises
    ------
    FileNotFoundError
        If nilearn or one of its template files is missing.
    """
    found = importlib.util.find_spec("nilearn")
    if found is None or found.origin is None:
        message = "nilearn is not installed, but its wheel carries the MNI template: make install"
        raise FileNotFoundError(message)
    folder = Path(found.origin).parent / "datasets" / "data"
    keys = {"t1": "t1", "grey": "gm", "white": "wm"}
    paths = {name: folder / FILE_PATTERN.format(key) for name, key in keys.items()}
    for path in paths.values():
        if not path.is_file():
            message = f"{path}: the MNI template is missing; install the locked nilearn version"
            raise FileNotFoundError(message)
    return paths


def template_sha256() -> str:
    """Return a hash of the template's files."""
    digest = hashlib.sha256()
    for path in template_paths().values():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_template(grid: Grid) -> Template:
    """Return the template on a grid in MNI space.

    Each image is smoothed to the grid's resolution before it is sampled, so that coarse grids
    hold local means.
    """
    t1, grey, white, brain, ventricles, hippocampus, affine = _full_resolution()
    voxel_mm = grid.voxel_volume_mm3 ** (1 / 3)
    sigma = 0.425 * np.sqrt(max(voxel_mm**2 - 1, 0))  # FWHM from 1 mm to the grid's voxel

    def sample(volume: np.ndarray) -> np.ndarray:
        smooth = ndimage.gaussian_filter(volume.astype(np.float32), sigma) if sigma else volume
        return resample_to_grid(smooth, affine, grid, order=1)

    return Template(
        t1=sample(t1),
        grey=sample(grey),
        white=sample(white),
        brain_mask=sample(brain) > 0.5,
        ventricle_region=sample(ventricles) > 0.5,
        hippocampus_region=sample(hippocampus) > 0.5,
    )


@functools.cache
def _full_resolution() -> tuple[np.ndarray, ...]:
    paths = template_paths()
    t1, affine = load_canonical(paths["t1"])
    grey, white = (load_canonical(paths[name])[0] / FULL_SCALE for name in ("grey", "white"))
    brain = ndimage.binary_fill_holes(t1 > 0)
    t1 = t1 / np.median(t1[white > 0.95])
    csf = brain * np.clip(1 - grey - white, 0, 1)
    ventricles = _ventricle_region(csf, brain, affine)
    hippocampus = _hippocampus_region(grey, affine)
    return t1, grey, white, brain, ventricles, hippocampus, affine


def _ventricle_region(csf: np.ndarray, brain: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Grow the deep central fluid by a margin, up to half-way to any other fluid."""
    fluid = csf > CSF_THRESHOLD
    deep = fluid & (ndimage.distance_transform_edt(brain) > VENTRICLE_DEPTH_MM)
    for axis, (low, high) in enumerate(VENTRICLE_BOX_MM):
        position_mm = _axis_positions_mm(csf.shape, affine, axis)
        deep &= (position_mm > low) & (position_mm < high)
    labels, count = ndimage.label(deep)
    sizes = ndimage.sum(deep, labels, range(1, count + 1))
    ventricles = labels == 1 + int(np.argmax(sizes))
    to_ventricles = ndimage.distance_transform_edt(~ventricles)
    to_other_fluid = ndimage.distance_transform_edt(~(fluid & ~ventricles))
    near = to_ventricles <= VENTRICLE_MARGIN_MM
    return near & (to_ventricles < to_other_fluid)


def _hippocampus_region(grey: np.ndarray, affine: np.ndarray) -> np.ndarray:
    positions_mm = [_axis_positions_mm(grey.shape, affine, axis) for axis in range(3)]
    region = np.zeros(grey.shape, dtype=bool)
    for side in (-1, 1):
        points = np.array(HIPPOCAMPUS_AXIS_MM, dtype=float) * (side, 1, 1)
        for first, last in zip(points[:-1], points[1:], strict=True):
            for point in np.linspace(first, last, 12):
                squared = sum((positions_mm[axis] - point[axis]) ** 2 for axis in range(3))
                region |= squared <= HIPPOCAMPUS_RADIUS_MM**2
    return region & (grey > HIPPOCAMPUS_GREY)


def _axis_positions_mm(shape: tuple[int, ...], affine: np.ndarray, axis: int) -> np.ndarray:
    """World coordinate along one axis of an axis-aligned RAS+ volume, broadcastable."""
    positions = affine[axis, axis] * np.arange(shape[axis]) + affine[axis, 3]
    return positions.reshape([-1 if other == axis else 1 for other in range(3)])
