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

from brainlapse.images import fill_holes, load_canonical, resample_to_grid
from brainlapse.space import Grid

TEMPLATE_NAME = "ICBM152 2009a nonlinear symmetric (nilearn)"
FILE_PATTERN = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
FULL_SCALE = 255.0


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
    """

    t1: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    brain_mask: np.ndarray


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
    t1, brain_mask = load_template_brain(grid)
    grey, white = (_read_tissue(name) for name in ("grey", "white"))
    _, _, affine = _read_brain()
    return Template(
        t1=t1,
        grey=_sample(grey, affine, grid),
        white=_sample(white, affine, grid),
        brain_mask=brain_mask,
    )


def load_template_brain(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return only T1 and brain mask of the template on a grid; see `Template`."""
    t1, brain, affine = _read_brain()
    return _sample(t1, affine, grid), _sample(brain, affine, grid) > 0.5


@functools.cache
def _read_brain() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t1, affine = load_canonical(template_paths()["t1"])
    white_matter = np.median(t1[_read_tissue("white") > 0.95])
    return t1 / white_matter, fill_holes(t1 > 0), affine


@functools.cache
def _read_tissue(name: str) -> np.ndarray:
    return load_canonical(template_paths()[name])[0] / FULL_SCALE


def _sample(volume: np.ndarray, affine: np.ndarray, grid: Grid) -> np.ndarray:
    """Smooth from 1 mm to the grid's resolution (FWHM), then sample."""
    voxel_mm = grid.voxel_volume_mm3 ** (1 / 3)
    sigma = np.sqrt(max(voxel_mm**2 - 1, 0)) / np.sqrt(8 * np.log(2))
    smooth = ndimage.gaussian_filter(volume.astype(np.float32), sigma, truncate=3.0)
    return resample_to_grid(smooth, affine, grid, order=1)
