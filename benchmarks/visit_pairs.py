"""Two scans of one person with little time between: as strangers, and together.

    python -m benchmarks.visit_pairs FIRST SECOND
    python -m benchmarks.visit_pairs FIRST --turn 3

The second form takes the first scan once more, turned by so many degrees. Printed are, for both
ways, the correlation of the two brains on a grid of 2 mm in MNI space, the difference of each
region's native volume at 1 mm [%], and, together, the numbers of ``visits.tsv``. CPU seconds are
per scan. One thread.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from brainlapse.images import load_canonical
from brainlapse.preprocessing.longitudinal.aligned import AlignedVisits, lift
from brainlapse.preprocessing.longitudinal.repeat import (
    pair_up,
    place_pair,
    process_alone,
    turn_head,
)
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.quality.measures import correlation
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.preprocessing.registration.ants import prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.runtime import limit_threads
from brainlapse.segmentation.embedded.network import GRID, Network, load_network, segment_brain
from brainlapse.segmentation.embedded.placing import place_mni_brain, take_prepared
from brainlapse.segmentation.embedded.posteriors import structure_volumes
from brainlapse.segmentation.labels import group_volumes
from brainlapse.space import Grid, grid_at

SETTINGS = PreprocessSettings()
VOXEL_MM = SETTINGS.registration.voxel_mm
TARGET = registration_target(VOXEL_MM)
COARSE = grid_at(2.0, (96, 116, 96))
Placed = tuple[np.ndarray, np.ndarray]  # a brain and its mask
REGIONS = ("hippocampus", "ventricles", "lateral_ventricles", "grey_matter", "white_matter")


def alone(visit: Visit) -> Root:
    """Register a visit to the template by itself."""
    brain = prepare_brain(visit.volume, visit.mask, visit.affine, VOXEL_MM)
    transform = register_brain(TARGET, brain, SETTINGS.registration)[-1]
    return Root(visit.scan, visit.volume, visit.mask, visit.affine, transform)


def as_strangers(visits: list[Root], network: Network) -> tuple[float, list[dict]]:
    """Correlation of two visits and their native volumes, each with its own mask and scale."""
    coarse, fine = ([place_alone(visit, grid) for visit in visits] for grid in (COARSE, GRID))
    volumes = []
    for visit, (brain, _) in zip(visits, fine, strict=True):
        ready = place_mni_brain(brain, GRID.affine)
        volumes.append(native(segment_brain(ready.volume, ready.mask, network), visit))
    return compare(*coarse), volumes


def place_alone(visit: Root, grid: Grid) -> Placed:
    """Bring a visit to a grid with its own mask and scale."""
    aligned = AlignedVisits(grid, SETTINGS.resampling, SETTINGS.intensity)
    return aligned.place(visit, aligned.share(visit), None)


def together(root: Root, visit: Visit, network: Network) -> tuple[float, list[dict], dict]:
    """Return the same with what they share, and the numbers of the pair."""
    later, pair = pair_up(root, visit, SETTINGS)
    coarse, fine = (place_pair(root, later, pair, grid, SETTINGS) for grid in (COARSE, GRID))
    volumes = []
    for one, placed in zip((root, later), fine, strict=True):
        ready = take_prepared(lift(*placed), GRID.affine)
        found = segment_brain(ready.volume, ready.mask, network, scaled=True)
        volumes.append(native(found, one))
    return compare(*coarse), volumes, pair.numbers


def compare(first: Placed, second: Placed) -> float:
    """Return the correlation of two brains inside both masks."""
    return correlation(first[0], second[0], first[1] & second[1])


def native(posteriors, visit: Root) -> dict[str, float]:
    """Volumes of the regions in the head itself [mm3]."""
    share = abs(np.linalg.det(visit.transform[:3, :3])) * GRID.voxel_volume_mm3
    return group_volumes(structure_volumes(posteriors, share))


def show(way: str, similar: float, volumes: list[dict]) -> None:
    """Print one way."""
    first, second = volumes
    differences = (f"{name} {100 * (second[name] / first[name] - 1):+.2f} %" for name in REGIONS)
    print(f"{way}: correlation {similar:.4f}; {', '.join(differences)}", flush=True)


def main() -> None:
    """Read the command line, measure both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--turn", type=float, default=3.0)
    options = parser.parse_args()
    limit_threads(1)
    heads = [load_canonical(path) for path in options.scans[:2]]
    if len(heads) == 1:
        volume, affine = heads[0]
        heads.append((turn_head(volume, affine, options.turn), affine))
    clock = Clock()
    visits = [process_alone(*head, TARGET, SETTINGS) for head in heads]
    clock.say("mask and bias field", scans=2)
    network = load_network(cpu=True)
    roots = [alone(visit) for visit in visits]
    clock.say("registration", scans=2)
    show("as strangers", *as_strangers(roots, network))
    clock.say("sampling on both grids and segmentation", scans=2)
    pair_up(roots[0], visits[1], SETTINGS)
    clock.say("alignment of a visit", scans=1)
    similar, volumes, numbers = together(roots[0], visits[1], network)
    show("together", similar, volumes)
    print(", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


class Clock:
    """Tells the CPU seconds since it was last asked."""

    def __init__(self) -> None:
        self.began = time.process_time()

    def say(self, what: str, scans: int) -> None:
        """Print what took how long, per scan."""
        now = time.process_time()
        print(f"{what}: {(now - self.began) / scans:.1f} CPU s a scan", flush=True)
        self.began = now


if __name__ == "__main__":
    main()
