"""The perceptual distance in the segmenter's features: what it sees, and what it costs.

    python -m benchmarks.perceptual_distance [--voxel-mm 2.5] [--threads 1]

The first table changes the template of the simulated cohort and compares it with itself; the
second times a step of the shipped config's autoencoder without and with the term, on the CPU.
"""

import argparse
import time

import numpy as np
import torch
import yaml
from scipy import ndimage
from torch import nn

from brainlapse.images import resample_to_grid
from brainlapse.networks.perceptual import PerceptualDistance, build_features
from brainlapse.provenance import ROOT
from brainlapse.simulation.anatomy import BRAIN_GRID, build_anatomy
from brainlapse.simulation.warps import grid_points_mm, sample
from brainlapse.space import Grid, grid_at
from brainlapse.training.loop.steps import Batch, autoencoder_step, build_engine
from brainlapse.training.model.state import new_state
from brainlapse.training.settings import AutoencoderSettings

FIELD_MM = (160, 200, 160)
WHITE_MATTER = 0.85
REPEATS = 8
CPU = torch.device("cpu")


def draw_brain(grid: Grid, log_change: tuple[float, float, float]) -> np.ndarray:
    """Sample the template, its aged regions changed in log volume, on a grid."""
    anatomy = build_anatomy()
    unaged = anatomy.ageing.warp(-anatomy.ageing.coefficients_for(np.array(log_change)))
    points_mm = unaged(grid_points_mm(BRAIN_GRID))
    volume = sample(anatomy.t1, BRAIN_GRID, points_mm, "constant").reshape(BRAIN_GRID.shape)
    voxel_mm = float(grid.affine[0, 0])
    sigma = np.sqrt(max(voxel_mm**2 - 1, 0) / (8 * np.log(2)))
    smooth = ndimage.gaussian_filter(WHITE_MATTER * volume, sigma)
    return np.clip(resample_to_grid(smooth, BRAIN_GRID.affine, grid), 0, 1)


def changed_brains(grid: Grid) -> dict[str, np.ndarray]:
    """Draw the template, and changed by anatomy, blur and noise."""
    brain = draw_brain(grid, (0, 0, 0))
    voxel_mm = float(grid.affine[0, 0])
    noise = np.random.default_rng(0).standard_normal(brain.shape) * (brain > 0)
    return {
        "nothing": brain,
        "ventricles 20 % larger": draw_brain(grid, (np.log(1.2), 0, 0)),
        "ventricles 50 % larger": draw_brain(grid, (np.log(1.5), 0, 0)),
        "hippocampus 20 % smaller": draw_brain(grid, (0, np.log(0.8), 0)),
        "grey matter 5 % smaller": draw_brain(grid, (0, 0, np.log(0.95))),
        "blurred, sigma 2.5 mm": ndimage.gaussian_filter(brain, 2.5 / voxel_mm),
        "noise, standard deviation 0.01": np.clip(brain + 0.01 * noise, 0, 1),
        "noise, standard deviation 0.1": np.clip(brain + 0.1 * noise, 0, 1),
    }


def to_volume(array: np.ndarray) -> torch.Tensor:
    """Array (D, H, W) to float32 (1, 1, D, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[None, None]


def show_distances(grid: Grid) -> None:
    """Print distance and mean absolute difference of every change."""
    distance = PerceptualDistance(build_features("segmenter", "", grid))
    brains = changed_brains(grid)
    brain = brains["nothing"]
    print("| change | L1 | perceptual | ratio |\n|---|---|---|---|")
    for name, other in brains.items():
        l1 = float(np.abs(other - brain).mean())
        with torch.no_grad():
            found = distance(to_volume(other), to_volume(brain)).item()
        print(f"| {name} | {l1:.4f} | {found:.5f} | {found / max(l1, 1e-9):.2f} |")


def show_cost() -> None:
    """Print the processor time of a step of the shipped autoencoder, best of several."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    settings = AutoencoderSettings.model_validate(next(iter(config["autoencoders"].values())))
    shape = tuple(config["space"]["shape"])
    grid = grid_at(config["space"]["voxel_mm"], shape)
    state = new_state(settings, shape, 0, CPU)
    scans = settings.training.batch_size
    batch = Batch(torch.rand(scans, 1, *shape), None, 1 / scans, "benchmark")
    distances: dict[str, nn.Module | None] = {
        "none": None,
        "segmenter": PerceptualDistance(build_features("segmenter", "", grid)),
    }
    best = dict.fromkeys(distances, np.inf)
    for _ in range(REPEATS):
        for name, distance in distances.items():
            began = time.process_time()
            autoencoder_step(state, batch, build_engine(settings, CPU, distance))
            best[name] = min(best[name], time.process_time() - began)
    print("\n| perceptual network | seconds per step |\n|---|---|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.2f} |")


def main() -> None:
    """Show both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxel-mm", type=float, default=2.5)
    parser.add_argument("--threads", type=int, default=1)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads)
    x, y, z = (16 * round(size / wanted.voxel_mm / 16) for size in FIELD_MM)
    show_distances(grid_at(wanted.voxel_mm, (x, y, z)))
    show_cost()


if __name__ == "__main__":
    main()
