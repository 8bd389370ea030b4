"""Linear heads on the latent mean, and their losses.

Reached by name only (`heads/loading.py`): an edit here trains models with heads again, no others.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from brainlapse.networks.interface import Heads
from brainlapse.training.heads.labels import TaskLabels, read_labels
from brainlapse.training.heads.pooling import averaging_tables

LEAST_SPREAD = 1e-6
GAIN = 5.0
"""Standard deviation of the features of fresh weights. Adam moves weights by about the learning
rate, whatever the features: larger ones are learned from faster."""


class LinearHeads(Heads):
    """One linear layer per task, on the latent mean pooled to a few cells.

    Labels of the training scans lie beside the weights and are never stored with them. Fresh
    layers are zero: classes are alike likely, every number is the mean.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self, tasks: Sequence[TaskLabels], latent_shape: tuple[int, int, int, int]
    ) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        features = latent_shape[0]
        for axis, table in enumerate(averaging_tables(latent_shape[1:])):
            self.register_buffer(f"cells_{axis}", torch.from_numpy(table), persistent=False)
            features *= len(table)
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("scale", torch.ones(()))
        self.layers = nn.ModuleDict()
        for task in self.tasks:
            layer = nn.Linear(features, max(1, len(task.classes)))
            for weights in layer.parameters():
                nn.init.zeros_(weights)
            self.layers[layer_name(task.name)] = layer
        for number, task in enumerate(self.tasks):
            for name in ("targets", "weights"):
                values = torch.from_numpy(getattr(task, name))
                self.register_buffer(f"{name}_{number}", values, persistent=False)

    def forward(self, mean: Tensor) -> dict[str, Tensor]:  # (B, C, d, h, w) -> (B, outputs) each
        """Class scores, or standardised numbers, of every task."""
        features = (self.pool(mean) - self.centre) / self.scale
        return {task.name: self.layers[layer_name(task.name)](features) for task in self.tasks}

    def pool(self, mean: Tensor) -> Tensor:  # (B, C, d, h, w) -> (B, F)
        """Means over the cells."""
        tables = (self.cells_0, self.cells_1, self.cells_2)
        return torch.einsum("bczyx,kz,jy,ix->bckji", mean, *tables).flatten(1)

    @torch.no_grad()
    def centre_on(self, mean: Tensor) -> None:
        """Fix what is subtracted from the features, and the one scale that they are divided by."""
        features = self.pool(mean)
        self.centre.copy_(features.mean(dim=0))
        spread = features.var(dim=0, correction=0).mean().sqrt()
        self.scale.copy_(spread.clamp(min=LEAST_SPREAD) / GAIN)

    def losses(self, mean: Tensor, rows: Sequence[int]) -> dict[str, Tensor]:
        """Loss of every task on training scans, averaged over them; scans without label count 0.

        Parameters
        ----------
        mean
            (B, C, d, h, w), float32.
        rows
            Which training scans these are.
        """
        found = {}
        for number, (name, output) in enumerate(self.forward(mean).items()):
            targets = getattr(self, f"targets_{number}")[list(rows)]
            weights = getattr(self, f"weights_{number}")[list(rows)]
            if self.tasks[number].classes:
                each = functional.cross_entropy(output, targets, reduction="none")
            else:
                each = (output[:, 0] - targets) ** 2
            found[name] = (weights * each).mean()
        return found

    def describe(self) -> list[dict[str, Any]]:
        """Return what the model's card says of the heads."""
        return [task.describe() for task in self.tasks]


def layer_name(task: str) -> str:
    """Name of a task's layer: some names of tasks are those of methods of torch."""
    return f"task-{task}"


def build_heads(
    rows: Sequence[Sequence[Any]],
    names: Sequence[str],
    latent_shape: tuple[int, int, int, int],
) -> LinearHeads:
    """Build fresh heads with the labels of the training scans; arguments as `read_labels`."""
    return LinearHeads(read_labels(rows, names), latent_shape)
