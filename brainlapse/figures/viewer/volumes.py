"""Volumes as the page embeds them: cropped, 8 bit, compressed, as text."""

import base64
import gzip
from dataclasses import dataclass

import numpy as np

MARGIN = 1  # voxels around the box of the brains


@dataclass(frozen=True)
class Crop:
    """The part of the grid that pages show.

    Attributes
    ----------
    first, last
        Voxel indices of the box, last one exclusive.
    coarsening
        Blocks of this many voxels along each axis become one.
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]
    coarsening: int = 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of a cropped volume along each axis."""
        sizes = [end - start for start, end in zip(self.first, self.last, strict=True)]
        return tuple(size // self.coarsening for size in sizes)  # type: ignore[return-value]

    def affine(self, affine: np.ndarray) -> np.ndarray:
        """Return the affine of a cropped volume, voxel to world mm."""
        scale = np.diag([*[self.coarsening] * 3, 1.0])
        scale[:3, 3] = np.asarray(self.first) + (self.coarsening - 1) / 2
        return affine @ scale

    def cut(self, volume: np.ndarray) -> np.ndarray:
        """Return the box of a volume as float32, block means where it is coarsened."""
        size = self.coarsening
        stop = [start + size * n for start, n in zip(self.first, self.shape, strict=True)]
        box = volume[tuple(slice(a, b) for a, b in zip(self.first, stop, strict=True))]
        nx, ny, nz = self.shape
        blocks = box.astype(np.float32).reshape(nx, size, ny, size, nz, size)
        return blocks.mean(axis=(1, 3, 5))

    def pick(self, labels: np.ndarray) -> np.ndarray:
        """Return the box of a label map, the middle voxel of each block."""
        picks = (
            start + self.coarsening * np.arange(n) + self.coarsening // 2
            for start, n in zip(self.first, self.shape, strict=True)
        )
        return labels[np.ix_(*picks)]


def box_of(masks: list[np.ndarray]) -> Crop:
    """Return the box that holds all masks, with a margin; the whole grid if all are empty."""
    shape = masks[0].shape
    union = np.any(masks, axis=0)
    first, last = [], []
    for axis, size in enumerate(shape):
        found = np.flatnonzero(union.any(axis=tuple(i for i in range(3) if i != axis)))
        first.append(max(0, int(found[0]) - MARGIN) if found.size else 0)
        last.append(min(size, int(found[-1]) + 1 + MARGIN) if found.size else size)
    return Crop(tuple(first), tuple(last))  # type: ignore[arg-type]


def to_bytes(volume: np.ndarray) -> np.ndarray:
    """Return intensities 0..1 as uint8 0..255, rounded and clipped."""
    return np.rint(np.clip(volume, 0, 1) * 255).astype(np.uint8)


def embed(voxels: np.ndarray) -> str:
    """Return uint8 voxels, first axis fastest, compressed and as base64 text."""
    packed = gzip.compress(voxels.astype(np.uint8).tobytes(order="F"), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode()
