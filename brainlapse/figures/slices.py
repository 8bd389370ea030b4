"""Two-dimensional cuts of volumes and the contours on them.

All volumes here are (X, Y, Z) with axes close to RAS+. Cuts are drawn as one looks at a person's
brain from behind or above: the left of a coronal or axial picture is the subject's left.
"""

import numpy as np
from PIL import Image, ImageDraw
from skimage.measure import find_contours
from skimage.transform import resize

Contour = np.ndarray  # (N, 2) rows and columns


def voxel_sizes_mm(affine: np.ndarray) -> np.ndarray:
    """Return the edge lengths of a voxel [mm], (3,)."""
    return np.linalg.norm(affine[:3, :3], axis=0)


def index_at(affine: np.ndarray, shape: tuple[int, ...], world_mm: np.ndarray) -> tuple[int, ...]:
    """Return the voxel nearest to a point in world mm (RAS), moved inside the volume."""
    index = np.linalg.inv(affine) @ np.append(world_mm, 1.0)
    return tuple(np.clip(np.rint(index[:3]).astype(int), 0, np.asarray(shape) - 1).tolist())


def centre_index(mask: np.ndarray) -> tuple[int, ...]:
    """Return the voxel at the middle of the mask's box, or of the volume if the mask is empty."""
    if not mask.any():
        return tuple(size // 2 for size in mask.shape)
    found = (np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    return tuple(int(indices[0] + indices[-1]) // 2 for indices in found)


def cut(volume: np.ndarray, plane: str, index: tuple[int, ...]) -> np.ndarray:
    """Return a ``sagittal``, ``coronal`` or ``axial`` cut with its top row first."""
    slices = {
        "sagittal": volume[index[0], :, :],
        "coronal": volume[:, index[1], :],
        "axial": volume[:, :, index[2]],
    }
    return slices[plane].T[::-1]


def strip(
    volume: np.ndarray,
    affine: np.ndarray,
    index: tuple[int, ...],
    pixel_mm: float,
    order: int = 1,
    planes: tuple[str, ...] = ("sagittal", "coronal", "axial"),
) -> np.ndarray:
    """Put cuts side by side at one scale.

    Parameters
    ----------
    volume
        (X, Y, Z).
    affine
        Voxel to world mm; only its voxel sizes count.
    index
        Voxel through which the cuts go.
    pixel_mm
        Edge of a pixel of the result [mm].
    order
        1 for intensities, 0 for masks.

    Returns
    -------
    numpy.ndarray
        float32 (rows, columns), 0 between and around the cuts.
    """
    size = voxel_sizes_mm(affine)
    axes = {"sagittal": (2, 1), "coronal": (2, 0), "axial": (1, 0)}
    pictures = []
    for plane in planes:
        pixels = cut(volume, plane, index).astype(np.float32)
        shape = [
            max(1, round(n * size[axis] / pixel_mm))
            for n, axis in zip(pixels.shape, axes[plane], strict=True)
        ]
        pictures.append(resize(pixels, shape, order=order, anti_aliasing=order > 0))
    return side_by_side(pictures)


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Join pictures of different heights, each centred vertically, on 0."""
    height = max(picture.shape[0] for picture in pictures)
    padded = []
    for picture in pictures:
        above = (height - picture.shape[0]) // 2
        below = height - picture.shape[0] - above
        padded.append(np.pad(picture, ((above, below), (0, 0))))
    return np.concatenate(padded, axis=1)


def window(pixels: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """Scale intensities to 0..1 between the percentiles 1 and 99.5 of the voxels above 0."""
    values = pixels[pixels > 0] if inside is None or not inside.any() else pixels[inside]
    if values.size == 0:
        return np.zeros_like(pixels, dtype=np.float32)
    low, high = np.percentile(values, [1, 99.5])
    low = min(low, 0.0) if inside is None else 0.0
    return np.clip((pixels - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


def contours(mask: np.ndarray) -> list[Contour]:
    """Return the outlines of a mask's cut."""
    if not mask.any():
        return []
    padded = np.pad(mask.astype(np.float32), 1)
    return [outline - 1 for outline in find_contours(padded, 0.5)]


def picture(grey: np.ndarray, outlines: list[tuple[np.ndarray, str]]) -> Image.Image:
    """Return an RGB picture of a cut with the outlines of masks on it.

    Parameters
    ----------
    grey
        (rows, columns), 0..1.
    outlines
        (mask of the same shape, colour) pairs, drawn in this order.
    """
    scale = 2  # lines are drawn at twice the size and shrunk: smooth and thin
    large = Image.fromarray((grey * 255).astype(np.uint8)).convert("RGB")
    large = large.resize((grey.shape[1] * scale, grey.shape[0] * scale), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(large)
    for mask, colour in outlines:
        for outline in contours(mask):
            points = [tuple((point[::-1] + 0.5) * scale) for point in outline]
            pen.line(points, fill=colour, width=scale)
    return large.resize((grey.shape[1], grey.shape[0]), Image.Resampling.LANCZOS)
