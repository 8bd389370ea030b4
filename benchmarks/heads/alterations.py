"""What scanners, patients and archives do to a head: each alteration a function of the head.

Nothing is drawn at random but noise, from one seed. World axes are RAS.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from benchmarks.heads.head import Head
from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.registration.pose import rotation_matrices
from brainlapse.space import Grid

SEED = 0
NEWBORN_ML = 380.0
LARGE_HEAD_ML = 2200.0


@dataclass(frozen=True)
class Altered:
    """An altered head.

    Attributes
    ----------
    volume, affine
        As it is stored now.
    motion
        Old world to new world mm, (4, 4): where the brain went.
    """

    volume: np.ndarray
    affine: np.ndarray
    motion: np.ndarray


Alteration = Callable[[Head], Altered]


def still(head: Head, volume: np.ndarray) -> Altered:
    """Return other intensities on the same voxels."""
    return Altered(volume.astype(np.float32), head.affine, np.eye(4))


def unchanged(head: Head) -> Altered:
    """Leave the head as it is."""
    return still(head, head.volume)


def coil_below(head: Head) -> Altered:
    """Make the signal six times as strong at the neck as at the vertex."""
    return still(head, head.volume * _profile(head, 2, -1, 6.0))


def coil_beside(head: Head) -> Altered:
    """Make the signal four times as strong at the right as at the left."""
    return still(head, head.volume * _profile(head, 0, 1, 4.0))


def _profile(head: Head, axis: int, sign: int, ratio: float) -> np.ndarray:
    """Exponential rise over the brain's extent along an axis, of mean 1 inside, going on beyond."""
    place = sign * head.points_mm()[axis]
    inside = place[head.brain]
    share = (place - inside.min()) / np.ptp(inside)
    profile = ratio ** np.clip(share, -0.5, 1.7)
    return profile / profile[head.brain].mean()


def bright_fat(head: Head) -> Altered:
    """Make fat outside the skull three times as bright."""
    fat = (head.around_brain_mm() > 6) & (head.volume > 0.9 * head.white)
    smooth = ndimage.gaussian_filter(fat.astype(np.float32), 0.5)
    return still(head, head.volume * (1 + 2 * smooth))


def shoulders(head: Head) -> Altered:
    """Let the field of view go 130 mm further down, to bright shoulders."""
    count = int(130 / head.sizes_mm[2])
    volume = np.pad(head.volume, [(0, 0), (0, 0), (count, 0)], mode="edge")
    volume = np.pad(volume, [(40, 40), (20, 20), (0, 0)])
    affine = _moved_corner(head.affine, (-40, -20, -count))
    larger = Head(volume, np.pad(head.labels, [(40, 40), (20, 20), (count, 0)]), affine,
                  head.groups)  # fmt: skip
    x, y, z = larger.points_mm()
    lowest = -130 - np.clip((abs(x) - 60) / 3, 0, None)
    torso = (z < lowest) & ((x / 190) ** 2 + ((y + 10) / 100) ** 2 < 1)
    rim = torso & ~ndimage.binary_erosion(torso, iterations=4, border_value=1)
    volume = np.where(torso, np.where(rim, 2.0, 0.7) * head.white, volume)
    return Altered(_noisy(larger, volume, 0.02), affine, np.eye(4))


def cut_vertex(head: Head) -> Altered:
    """End the field of view 20 mm below the brain's top."""
    top = int(np.argwhere(head.brain)[:, 2].max() - 20 / head.sizes_mm[2])
    return Altered(head.volume[:, :, :top], head.affine, np.eye(4))


def cut_cerebellum(head: Head) -> Altered:
    """End the field of view at a quarter of the brain's height."""
    found = np.argwhere(head.brain)[:, 2]
    start = int(found.min() + 0.25 * np.ptp(found))
    affine = _moved_corner(head.affine, (0, 0, start))
    return Altered(head.volume[:, :, start:], affine, np.eye(4))


def tight_view(head: Head) -> Altered:
    """End the field of view 6 mm around the brain: no chin, nose nor neck."""
    box = ndimage.find_objects((head.around_brain_mm() < 6).astype(np.uint8))[0]
    affine = _moved_corner(head.affine, [side.start for side in box])
    return Altered(head.volume[box], affine, np.eye(4))


def padded(head: Head) -> Altered:
    """Fill the volume up with zeros to 320 voxels along each axis."""
    missing = [max(0, 320 - edge) for edge in head.volume.shape]
    ends = [(count // 2, count - count // 2) for count in missing]
    affine = _moved_corner(head.affine, [-low for low, _ in ends])
    return Altered(np.pad(head.volume, ends), affine, np.eye(4))


def wrapped(head: Head) -> Altered:
    """End the field of view before the face, which then appears behind the head."""
    y = np.flatnonzero(head.brain.any(axis=(0, 2)))
    front = int(y[-1] + 10 / head.sizes_mm[1])
    face = head.volume[:, front:]
    count = face.shape[1]
    volume = np.pad(head.volume[:, :front], [(0, 0), (count, 0), (0, 0)])
    volume[:, :count] += face
    return Altered(volume, _moved_corner(head.affine, (0, -count, 0)), np.eye(4))


def table(head: Head) -> Altered:
    """Put a bright flat body behind the head."""
    count, thick = (int(edge_mm / head.sizes_mm[1]) for edge_mm in (30, 10))
    volume = np.pad(head.volume, [(0, 0), (count, 0), (0, 0)])
    volume[:, 2 : 2 + thick] = 1.5 * head.white
    return Altered(volume, _moved_corner(head.affine, (0, -count, 0)), np.eye(4))


def defaced_by_plane(head: Head) -> Altered:
    """Empty everything before and below a plane that passes the brain at 5 mm."""
    _, y, z = head.points_mm()
    depth = 0.7 * y - 0.7 * z
    return still(head, np.where(depth > depth[head.brain].max() + 5, 0, head.volume))


def defaced_by_noise(head: Head) -> Altered:
    """Scramble what lies in front of the brain, 8 mm away from it, and empty the ears."""
    x, y, z = head.points_mm()
    far = head.around_brain_mm() > 8
    face = far & (y > 20) & (z < 10)
    ears = far & (abs(x) > abs(x[head.brain]).max() - 5) & (z < 10)
    random = np.random.default_rng(SEED)
    volume = np.where(face, head.white * random.uniform(0, 1, head.volume.shape), head.volume)
    return still(head, np.where(ears, 0, volume))


def tilted(head: Head) -> Altered:
    """Turn the head by 30 degrees, chin to the chest and to one side, in the voxels."""
    return _turned(head, [26.0, 8.0, 12.7], 1.3)


def repeated(head: Head) -> Altered:
    """Turn the head by 3 degrees in the voxels: the same scan once more."""
    return _turned(head, [2.0, -1.5, 1.7], 1.1)


def _turned(head: Head, degrees: list[float], room: float) -> Altered:
    """Turn about the brain's centre, on a grid that has so many times the voxels per axis."""
    motion = np.eye(4)
    motion[:3, :3] = rotation_matrices(np.array([degrees]))[0]
    centre = head.affine[:3, :3] @ np.argwhere(head.brain).mean(axis=0) + head.affine[:3, 3]
    motion[:3, 3] = centre - motion[:3, :3] @ centre
    shape = tuple(int(room * edge) for edge in head.volume.shape)
    corner = -(room - 1) / 2 * np.array(head.volume.shape)
    grid = Grid((shape[0], shape[1], shape[2]), _moved_corner(head.affine, corner))
    back = np.linalg.inv(motion)
    return Altered(resample_to_grid(head.volume, head.affine, grid, back), grid.affine, motion)


def resampled(head: Head, voxel_mm: tuple[float, float, float]) -> Altered:
    """Sample the head on other voxels, as thick as they are far apart."""
    factors = np.array(voxel_mm) / head.sizes_mm
    blur = np.where(factors > 1, 0.42 * np.sqrt(np.maximum(factors**2 - 1, 0)), 0)  # box as wide
    volume = ndimage.gaussian_filter(head.volume, blur)
    shape = tuple(int(edge / factor) for edge, factor in zip(volume.shape, factors, strict=True))
    grid = Grid((shape[0], shape[1], shape[2]), head.affine @ np.diag([*factors, 1.0]))
    return Altered(resample_to_grid(volume, head.affine, grid, order=3), grid.affine, np.eye(4))


def voxels_07(head: Head) -> Altered:
    """Voxels of 0.7 mm."""
    return resampled(head, (0.7, 0.7, 0.7))


def voxels_1(head: Head) -> Altered:
    """Voxels of 1 mm."""
    return resampled(head, (1.0, 1.0, 1.0))


def slices_5(head: Head) -> Altered:
    """Axial slices of 5 mm with voxels of 1 mm."""
    return resampled(head, (1.0, 1.0, 5.0))


def noisy(head: Head) -> Altered:
    """Add noise until white matter has a signal-to-noise ratio of 8."""
    return still(head, _noisy(head, head.volume, 1 / 8))


def _noisy(head: Head, volume: np.ndarray, share: float) -> np.ndarray:
    """Rician noise whose SD is a share of white matter."""
    noise = np.random.default_rng(SEED).normal(0, share * head.white, (2, *volume.shape))
    return np.hypot(volume + noise[0], noise[1]).astype(np.float32)


def background_missing(head: Head) -> Altered:
    """Set all outside the skin to exactly 0."""
    return still(head, np.where(head.inside_skin(), head.volume, 0))


def background_inverted(head: Head) -> Altered:
    """Make air as bright as the brightest tissue."""
    top = np.percentile(head.volume[head.inside_skin()], 99)
    return still(head, np.where(head.inside_skin(), head.volume, top - head.volume))


def background_of_noise(head: Head) -> Altered:
    """Fill air with noise of all intensities, as ratio images of two inversions have."""
    random = np.random.default_rng(SEED).uniform(0, 1.2 * head.white, head.volume.shape)
    return still(head, np.where(head.inside_skin(), head.volume, random))


def enhanced_vessels(head: Head) -> Altered:
    """Make meninges, the sagittal sinus and vessels twice as bright as white matter."""
    x, _, z = head.points_mm()
    around = head.around_brain_mm()
    sinus = (abs(x) < 5) & (around < 6) & (around > 0) & (z > 0)
    random = np.random.default_rng(SEED).normal(size=head.volume.shape)
    texture = abs(ndimage.gaussian_filter(random, 6 / head.sizes_mm))
    outside_white = head.brain & ~head.is_in("white_matter")
    threads = outside_white & (texture < np.percentile(texture, 6))
    dura = (around > 0) & (around <= 2.5)
    volume = np.where(dura, 1.2 * head.white, head.volume)
    return still(head, np.where(sinus | threads, 2.0 * head.white, volume))


def cyst(head: Head) -> Altered:
    """Put a ball of fluid, 50 mm wide, into the left temporal lobe."""
    points = head.points_mm()
    x, y, z = points[:, head.brain]
    lobe = (x < np.percentile(x, 12)) & (z < np.percentile(z, 40)) & (y > np.percentile(y, 45))
    centre = points[:, head.brain][:, lobe].mean(axis=1)
    inside = (((points - centre[:, None, None, None]) ** 2).sum(axis=0) < 25**2) & head.brain
    return still(head, np.where(inside, _fluid(head), head.volume))


def wide_ventricles(head: Head) -> Altered:
    """Widen the ventricles into white matter until they hold three times as much."""
    ventricles = head.is_in("ventricles")
    away = ndimage.distance_transform_edt(~ventricles, sampling=head.sizes_mm)
    away = np.where(ventricles | head.is_in("white_matter"), away, np.inf)
    order = np.sort(away.ravel())
    wide = away <= order[3 * int(ventricles.sum())]
    soft = ndimage.gaussian_filter(wide.astype(np.float32), 0.5)
    return still(head, soft * _fluid(head) + (1 - soft) * head.volume)


def _fluid(head: Head) -> float:
    return float(np.percentile(head.volume[head.is_in("ventricles")], 20))


def scaled_to(head: Head, factor: float, volume: np.ndarray) -> Altered:
    """Shrink or stretch the head as a whole, about the scanner's centre."""
    motion = np.diag([factor, factor, factor, 1.0])
    return Altered(volume.astype(np.float32), motion @ head.affine, motion)


def newborn(head: Head) -> Altered:
    """Scale the head until its brain holds 380 ml."""
    return scaled_to(head, _factor(head, head.brain, NEWBORN_ML), head.volume)


def small_head(head: Head) -> Altered:
    """Scale the head until all inside the skin above the chin holds 2.2 l; air exactly 0."""
    skin = head.inside_skin()
    return scaled_to(head, _factor(head, skin, LARGE_HEAD_ML), np.where(skin, head.volume, 0))


def large_brain(head: Head) -> Altered:
    """Scale the head until its brain holds 2.2 l."""
    return scaled_to(head, _factor(head, head.brain, LARGE_HEAD_ML), head.volume)


def _factor(head: Head, mask: np.ndarray, wanted_ml: float) -> float:
    return float((wanted_ml / (mask.sum() * head.sizes_mm.prod() / 1000)) ** (1 / 3))


def _moved_corner(affine: np.ndarray, voxels: np.ndarray | list[int] | tuple) -> np.ndarray:
    """Affine of a grid whose first voxel lies elsewhere on the old one."""
    moved = affine.copy()
    moved[:3, 3] = affine[:3, :3] @ np.asarray(voxels, float) + affine[:3, 3]
    return moved


WHOLE: dict[str, Alteration] = {
    function.__name__: function
    for function in (
        unchanged, coil_below, coil_beside, bright_fat, shoulders, tight_view, padded, wrapped,
        table, defaced_by_plane, defaced_by_noise, tilted, repeated, voxels_07, voxels_1, slices_5,
        noisy, background_missing, background_inverted, background_of_noise, enhanced_vessels, cyst,
        wide_ventricles, newborn, small_head, large_brain,
    )
}  # fmt: skip
"""What leaves the brain whole."""

CUT: dict[str, Alteration] = {
    function.__name__: function for function in (cut_vertex, cut_cerebellum)
}
"""What leaves a part of the brain out."""
