"""Lay a head upright in a box of its own, as the brain extraction expects it.

deepbet was trained on heads as scanners give them: turned by 20 degrees, or with much air or neck
around, its masks hold half the head. Upright and cropped, the same heads give the same masks.
"""

import numpy as np
from scipy import ndimage

from brainlapse.preprocessing.blocks import crop_affine

BOX_MM = (200.0, 240.0, 230.0)  # a head without its neck
BELOW_BRAIN_MM = 15.0  # the box's centre lies so far below the brain's
VOXEL_MM = 1.4  # about what deepbet's network sees
SHAPE = tuple(round(edge / VOXEL_MM) for edge in BOX_MM)
TEMPLATE_CENTRE_MM = (0.0, -22.0, 9.0)  # of the template's brain


def upright_affine(transform: np.ndarray) -> np.ndarray:
    """Return the affine of the upright box: voxel to world mm of the scan, (4, 4).

    Parameters
    ----------
    transform
        Template world to scan world mm, (4, 4): how the head lies.
    """
    left, _, right = np.linalg.svd(transform[:3, :3])
    rotation = left @ right
    centre = transform[:3, :3] @ TEMPLATE_CENTRE_MM + transform[:3, 3]
    centre = centre - rotation @ (0, 0, BELOW_BRAIN_MM)
    box = np.eye(4)
    box[:3, :3] = VOXEL_MM * rotation
    box[:3, 3] = centre - box[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
    return box


def sample(
    volume: np.ndarray, affine: np.ndarray, grid_affine: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Interpolate a volume (X, Y, Z) linearly on another grid of the same world; float32."""
    index_map = np.linalg.inv(affine) @ grid_affine
    return ndimage.affine_transform(
        volume.astype(np.float32), index_map[:3, :3], index_map[:3, 3], output_shape=shape, order=1
    )


def carry_back(
    mask: np.ndarray, affine: np.ndarray, grid_affine: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Bring a mask (X, Y, Z) to another grid of the same world, bool; only there where it lies."""
    carried = np.zeros(shape, dtype=bool)
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return carried
    ends = [(side.start - 1, side.stop) for side in found[0]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)
    to_grid = np.linalg.inv(grid_affine) @ affine
    reached = to_grid[:3, :3] @ corners + to_grid[:3, 3:]
    low = np.clip(np.floor(reached.min(axis=1)), 0, shape).astype(int)
    high = np.clip(np.ceil(reached.max(axis=1)) + 1, low, shape).astype(int)
    box = tuple(slice(*ends) for ends in zip(low, high, strict=True))
    share = sample(mask, affine, crop_affine(grid_affine, box), carried[box].shape)
    carried[box] = share > 0.5
    return carried
