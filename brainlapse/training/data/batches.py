"""Batches: which scans a step learns from, how they are changed, what else is drawn for them."""

import torch
from torch import Tensor

from brainlapse.training.data.augmentation import augment
from brainlapse.training.data.scans import epoch_order, to_batch
from brainlapse.training.determinism import seed_everything
from brainlapse.training.loop.plan import Run
from brainlapse.training.loop.steps import Batch, describe_place


def draw_batch(run: Run, step: int, epoch: int, rows: list[int]) -> Batch:
    """Read and augment this process's part of a step's scans.

    Every draw depends on seed, step and scan alone: a batch is the same in however many parts
    and processes it is computed. A process without a scan takes the first one with weight 0.
    """
    processes, device = run.engine.processes, run.engine.device
    mine = processes.part(rows)
    coming = processes.part(batch_rows(run, step + 1)) or rows[:1]
    volumes = to_batch(run.reader.take(mine or rows[:1], coming), device)  # (B, 1, D, H, W)
    drawn = []
    for row, volume in zip(mine or rows[:1], volumes.split(1), strict=True):
        seed_everything(run.seed, "scan", step, row)
        drawn.append(augment(volume, run.settings.augmentation, run.data.voxel_mm))
    noise = _draw_noise(run, step, mine or rows[:1])
    share = 1 / len(rows) if mine else 0.0
    place = describe_place(epoch, step, [run.data.train.names[row] for row in rows])
    return Batch(torch.cat(drawn), noise, share, place, mine or rows[:1])


def _draw_noise(run: Run, step: int, rows: list[int]) -> Tensor | None:
    if not run.settings.loss.sample_latent:
        return None
    shape = run.settings.network.latent_shape(run.data.grid.shape)
    drawn = []
    for row in rows:
        seed_everything(run.seed, "latent", step, row)
        drawn.append(torch.randn(shape))
    return torch.stack(drawn).to(run.engine.device)


def batch_rows(run: Run, step: int) -> list[int]:
    """Return the training scans of a step; depends on seed and step alone."""
    epoch, position = divmod(step, run.steps_per_epoch)
    size = run.settings.training.batch_size
    order = epoch_order(len(run.data.train.names), run.seed, epoch)
    return order[position * size : (position + 1) * size].tolist()
