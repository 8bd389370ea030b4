"""A head around the template brain: meninges, skull, scalp, face and neck.

Nothing here is a measured anatomy. Surfaces are distances from the brain and smooth unions of
ellipsoids in template space, close enough to a T1-weighted head that tools trained on real
heads find the brain in it.
"""

import numpy as np
from scipy import ndimage

from brainlapse.simulation.warps import grid_points_mm, sample
from brainlapse.space import Grid

TISSUES = ("fluid", "bone", "marrow", "fat", "muscle", "skin", "cord")
SOFT_EDGE_MM = 2.0
CLOSING_MM = 12.0
# Outer edges of the layers above the smooth hull of the brain [mm].
FLUID_MM, INNER_TABLE_MM, MARROW_MM, OUTER_TABLE_MM, SCALP_MM = 2.5, 4.5, 7.0, 8.5, 13.5
SKIN_MM, FAT_MM = 2.0, 5.5  # depth below the surface of the head

FACE = (  # centre and radii, world mm
    ((0, 38, -62), (64, 54, 66)),
    ((0, 52, -100), (46, 40, 30)),
    ((0, 98, -52), (13, 16, 22)),
    ((0, -42, -100), (60, 58, 70)),
    ((48, -2, -68), (24, 36, 42)),  # cheek and jaw muscles
    ((-48, -2, -68), (24, 36, 42)),
)


class _Painter:
    """Tissue shares on a grid; what is painted later covers what lies below."""

    def __init__(self, grid: Grid) -> None:
        self.points_mm = grid_points_mm(grid).reshape(3, *grid.shape)
        self.shares = {name: np.zeros(grid.shape, dtype=np.float32) for name in TISSUES}

    def paint(
        self, tissue: str | None, signed_mm: np.ndarray, where: np.ndarray | None = None
    ) -> None:
        cover = np.clip(0.5 - signed_mm / SOFT_EDGE_MM, 0, 1).astype(np.float32)
        if where is not None:
            cover *= where
        for share in self.shares.values():
            share *= 1 - cover
        if tissue is not None:
            self.shares[tissue] += cover

    def ellipsoid(self, centre_mm: tuple, radii_mm: tuple) -> np.ndarray:
        scaled = sum(
            ((self.points_mm[axis] - centre_mm[axis]) / radii_mm[axis]) ** 2 for axis in range(3)
        )
        return ((np.sqrt(scaled) - 1) * min(radii_mm)).astype(np.float32)

    def tube(self, foot_mm: tuple, lean: float, radii_mm: tuple, top_mm: float) -> np.ndarray:
        """Return the distance to an elliptical tube below `top_mm` that leans with depth."""
        x, y, z = self.points_mm
        middle = foot_mm[1] + lean * (z - top_mm)
        radial = np.sqrt((x / radii_mm[0]) ** 2 + ((y - middle) / radii_mm[1]) ** 2)
        return np.maximum((radial - 1) * min(radii_mm), z - top_mm).astype(np.float32)


def build_head(brain: np.ndarray, brain_grid: Grid, grid: Grid) -> dict[str, np.ndarray]:
    """Return the share of every tissue around the brain, float32 (X, Y, Z) each, on `grid`."""
    painter = _Painter(grid)
    above_hull_mm = _distance_above_hull(brain, brain_grid, grid)
    outside_mm = _surface(painter, above_hull_mm)
    _paint_soft_tissue(painter, outside_mm)
    _paint_face(painter)
    _paint_skull(painter, above_hull_mm)
    _paint_neck(painter)
    painter.paint(None, -outside_mm)
    return painter.shares


def _distance_above_hull(brain: np.ndarray, brain_grid: Grid, grid: Grid) -> np.ndarray:
    """Return the signed distance to the brain closed over its sulci [mm], negative inside."""
    voxel_mm = grid.affine[0, 0]
    mask = sample(brain, brain_grid, grid_points_mm(grid), "constant").reshape(grid.shape) > 0.5
    outside_mm = ndimage.distance_transform_edt(~mask) * voxel_mm
    inside_mm = ndimage.distance_transform_edt(outside_mm <= CLOSING_MM) * voxel_mm
    hull = inside_mm > CLOSING_MM
    signed = ndimage.distance_transform_edt(~hull) - ndimage.distance_transform_edt(hull)
    return ndimage.gaussian_filter((signed * voxel_mm).astype(np.float32), 1.5)


def _surface(painter: _Painter, above_hull_mm: np.ndarray) -> np.ndarray:
    """Return the signed distance to the skin [mm]: a smooth union, negative inside."""
    parts = [above_hull_mm - SCALP_MM - SKIN_MM / 2]
    parts += [painter.ellipsoid(centre, radii) for centre, radii in FACE]
    parts.append(painter.tube((0, -36, 0), 0.12, (58, 62), -70.0))
    softness_mm = 5.0
    return -softness_mm * np.log(
        sum(np.exp(-np.minimum(part, 200) / softness_mm) for part in parts)
    )


def _paint_soft_tissue(painter: _Painter, outside_mm: np.ndarray) -> None:
    rng = np.random.default_rng(0)  # one head for all subjects: their warps tell them apart
    painter.paint("skin", outside_mm)
    painter.paint("fat", outside_mm + SKIN_MM)
    painter.paint("muscle", outside_mm + FAT_MM)
    texture = rng.standard_normal(outside_mm.shape, dtype=np.float32)
    texture = ndimage.gaussian_filter(texture, (1.6, 1.6, 4.0))
    planes = (texture / texture.std() - 1.0) * -2.0
    painter.paint("fat", planes, where=(outside_mm < -FAT_MM) * np.float32(0.8))
    vessels = ndimage.gaussian_filter(rng.standard_normal(texture.shape, dtype=np.float32), 1.4)
    painter.paint("bone", (vessels / vessels.std() - 1.9) * -2.0, where=outside_mm < -8)


def _paint_face(painter: _Painter) -> None:
    paint, ellipsoid = painter.paint, painter.ellipsoid
    paint("marrow", ellipsoid((0, 62, -84), (26, 14, 10)))  # upper jaw
    arch = np.maximum(
        ellipsoid((0, 42, -112), (38, 44, 9)), -ellipsoid((0, 36, -112), (29, 36, 30))
    )
    paint("bone", arch - 2)
    paint("marrow", arch + 1)
    paint("muscle", ellipsoid((0, 44, -94), (22, 30, 16)))  # tongue
    paint(None, ellipsoid((0, 44, -77), (16, 26, 2.5)))  # mouth
    for side in (-1, 1):
        paint("bone", ellipsoid((side * 30, 58, -58), (17, 17, 18)))
        paint(None, ellipsoid((side * 30, 58, -58), (15, 15, 16)))  # maxillary sinus
        paint("fat", ellipsoid((side * 31, 52, -34), (16, 26, 15)))  # orbit
        paint("muscle", ellipsoid((side * 28, 46, -34), (3, 18, 2.5)))  # optic nerve
        paint("skin", ellipsoid((side * 32, 66, -34), (13, 13, 13)))
        paint("fluid", ellipsoid((side * 32, 66, -34), (11.5, 11.5, 11.5)))  # eye
        paint("muscle", ellipsoid((side * 32, 76, -34), (4, 2, 4)))  # lens
        paint("bone", ellipsoid((side * 52, -26, -44), (14, 16, 14)))  # petrous bone
        paint(None, ellipsoid((side * 70, -22, -38), (13, 2.5, 2.5)))  # ear canal
    paint("bone", ellipsoid((0, 62, -52), (12, 26, 20)))
    paint("muscle", ellipsoid((0, 62, -52), (10, 24, 18)))  # nasal lining
    for side in (-1, 1):
        paint(None, ellipsoid((side * 5, 64, -56), (2.5, 26, 13)))
    paint(None, ellipsoid((0, 22, -38), (12, 11, 8)))  # sphenoid sinus
    paint(None, painter.tube((0, 14, 0), 0.22, (9, 6), -62.0))  # pharynx


def _paint_skull(painter: _Painter, above_hull_mm: np.ndarray) -> None:
    z = painter.points_mm[2]
    vault = np.clip((z + 45) / 20, 0, 1)  # below the base there is bone, but little marrow
    painter.paint("bone", above_hull_mm - OUTER_TABLE_MM)
    painter.paint("marrow", above_hull_mm - MARROW_MM, where=0.35 + 0.65 * vault)
    painter.paint("bone", above_hull_mm - INNER_TABLE_MM)
    painter.paint("fluid", above_hull_mm - FLUID_MM)


def _paint_neck(painter: _Painter) -> None:
    z = painter.points_mm[2]
    discs = (np.mod(z, 17.0) < 4.0).astype(np.float32)
    bodies = painter.tube((0, -18, 0), 0.10, (11, 9), -82.0)
    painter.paint("bone", bodies - 1.5)
    painter.paint("marrow", bodies, where=1 - discs)
    painter.paint("muscle", bodies, where=discs)
    arch = painter.tube((0, -46, 0), 0.12, (17, 15), -84.0)
    painter.paint("bone", arch, where=(np.mod(z + 6, 17.0) < 8.0).astype(np.float32) * 0.8)
    painter.paint("fluid", painter.tube((0, -44, 0), 0.12, (10, 9), -64.0))
    painter.paint("cord", painter.tube((0, -44, 0), 0.12, (6.5, 5.5), -66.0))
