"""The embedded backend: grey matter, white matter, CSF and ventricles of a brain in MNI space.

Grey and white matter are the posteriors of a mixture with the template's maps as priors. Fluid
at the ventricles is counted by linear partial volume instead: a voxel half fluid, half white
matter has the intensity of grey matter, and only the linear share follows a growth smaller than
a voxel.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainlapse.segmentation.atlas import TissueAtlas
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.labels import REGIONS, TISSUE_LABELS
from brainlapse.segmentation.mixture import TissueModel, fit_fluid, fit_tissues

BACKGROUND = 0.05  # of intensities 0..1; decoded images are not exactly 0 around the brain
SMALLEST_BRAIN_ML = 300.0
TISSUE_SMOOTHING_MM = 7.0
SEED_POSITION = 0.7  # from pure fluid (0) to grey matter (1): darker voxels hold fluid for sure
SEED_REACH_MM = 3.6  # the rim of partly filled voxels around them


@dataclass(frozen=True)
class TissueShares:
    """Share of each voxel that is fluid of a ventricle, other CSF, grey or white matter.

    All float32 (X, Y, Z); they add to 1 in the brain and to 0 elsewhere.
    """

    ventricles: np.ndarray
    other_csf: np.ndarray
    grey: np.ndarray
    white: np.ndarray


def segment_tissues(volume: np.ndarray, atlas: TissueAtlas) -> TissueShares:
    """Share out every voxel of a brain among the tissues.

    Parameters
    ----------
    volume
        (X, Y, Z) on the atlas's grid, stripped, intensities 0..1, background about 0.
    atlas
        Spatial priors on the same grid.

    Raises
    ------
    ImplausibleImage
        Where the image does not show a brain with three tissues.
    """
    brain = find_brain(volume, atlas)
    values, priors = volume[brain], atlas.priors[:, brain]
    model = fit_tissues(values, priors)
    csf, grey, white = (_place(share, brain) for share in model.posteriors(values, priors))
    fluid, rim, tissue = ventricle_fluid(volume, brain, atlas, model)
    white_share = np.clip((tissue - model.means[1]) / (model.means[2] - model.means[1]), 0, 1)
    rest = 1 - fluid
    return TissueShares(
        ventricles=np.where(rim, fluid, 0).astype(np.float32),
        other_csf=np.where(rim, 0, csf),
        grey=np.where(rim, rest * (1 - white_share), grey).astype(np.float32),
        white=np.where(rim, rest * white_share, white).astype(np.float32),
    )


def find_brain(volume: np.ndarray, atlas: TissueAtlas) -> np.ndarray:
    """Find the largest bright body where a brain may lie, with its holes; bool (X, Y, Z)."""
    bodies, count = ndimage.label((volume > BACKGROUND) & atlas.support)
    sizes = np.bincount(bodies.ravel(), minlength=2)[1:]
    largest_ml = sizes.max(initial=0) * atlas.voxel_mm**3 / 1000
    if count == 0 or largest_ml < SMALLEST_BRAIN_ML:
        message = f"expected a brain, found a body of {largest_ml:.0f} ml"
        raise ImplausibleImage(message)
    return ndimage.binary_fill_holes(bodies == 1 + int(np.argmax(sizes)))


def ventricle_fluid(
    volume: np.ndarray, brain: np.ndarray, atlas: TissueAtlas, model: TissueModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count fluid in and around the ventricles by linear partial volume.

    ``share = (tissue - x) / (tissue - fluid)``, clipped to 0..1, where `tissue` is the mean
    intensity of the solid tissue around and `fluid` that of pure CSF.

    Returns
    -------
    tuple
        Share of fluid, float (X, Y, Z); bool (X, Y, Z), voxels where it holds: surely fluid, or
        within `SEED_REACH_MM` of such a voxel; and the intensity of the tissue around.
    """
    region = brain & atlas.ventricle_region
    part = _bounding_box(region, margin=int(np.ceil(2 * TISSUE_SMOOTHING_MM / atlas.voxel_mm)))
    grey, white = model.means[1:]
    values, inside = volume[part], region[part]
    fluid = fit_fluid(values[inside], model, atlas.voxel_mm**3 / 1000)
    seeds = inside & (values < fluid + SEED_POSITION * (grey - fluid))
    to_seed_mm = ndimage.distance_transform_edt(~seeds) * atlas.voxel_mm
    if not seeds.any():
        to_seed_mm = np.full(values.shape, np.inf)
    solid = brain[part] & (to_seed_mm > 1.01 * atlas.voxel_mm) & (values > (fluid + grey) / 2)
    tissue = _local_mean(values, solid, TISSUE_SMOOTHING_MM / atlas.voxel_mm, white)
    tissue = np.maximum(tissue, 0.9 * grey)
    share = np.clip((tissue - values) / (tissue - fluid), 0, 1)
    rim = inside & (to_seed_mm <= SEED_REACH_MM)
    whole = (np.zeros(volume.shape), np.zeros(volume.shape, dtype=bool), np.zeros(volume.shape))
    for target, source in zip(whole, (share, rim, tissue), strict=True):
        target[part] = source
    return whole


def tissue_volumes(shares: TissueShares, voxel_mm3: float) -> dict[str, float]:
    """Volumes [mm3] of all regions; NaN for those that tissues alone do not tell."""
    volumes = {
        "ventricles": shares.ventricles.sum(dtype=float) * voxel_mm3,
        "grey_matter": shares.grey.sum(dtype=float) * voxel_mm3,
        "white_matter": shares.white.sum(dtype=float) * voxel_mm3,
    }
    volumes["csf"] = volumes["ventricles"] + shares.other_csf.sum(dtype=float) * voxel_mm3
    volumes["brain"] = volumes["csf"] + volumes["grey_matter"] + volumes["white_matter"]
    return {region: float(volumes.get(region, np.nan)) for region in REGIONS}


def tissue_labels(shares: TissueShares) -> np.ndarray:
    """Label map of the largest share, uint8 (X, Y, Z), ids of ``TISSUE_LABELS``."""
    names = ("ventricles", "csf", "grey_matter", "white_matter")
    stack = np.stack([shares.ventricles, shares.other_csf, shares.grey, shares.white])
    ids = np.array([TISSUE_LABELS[name] for name in names], dtype=np.uint8)
    return np.where(stack.sum(axis=0) > 0, ids[np.argmax(stack, axis=0)], 0).astype(np.uint8)


def _place(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    volume = np.zeros(mask.shape, dtype=np.float32)
    volume[mask] = values
    return volume


def _local_mean(
    values: np.ndarray, weight: np.ndarray, sigma: float, fallback: float
) -> np.ndarray:
    total = ndimage.gaussian_filter(np.where(weight, values, 0).astype(np.float32), sigma)
    count = ndimage.gaussian_filter(weight.astype(np.float32), sigma)
    return np.where(count > 1e-3, total / np.maximum(count, 1e-3), fallback)


def _bounding_box(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    """Slices around the mask; the whole volume if it is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return tuple(slice(0, size) for size in mask.shape)
    return tuple(
        slice(max(0, part.start - margin), min(size, part.stop + margin))
        for part, size in zip(found[0], mask.shape, strict=True)
    )
