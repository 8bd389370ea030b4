"""Processes that train one autoencoder together, each with its part of every batch.

Every process weighs its scans by the size of the whole batch, so the gradients of all simply add
up, also where the parts are uneven. `torch.distributed` alone does that; the wrappers around it
(DistributedDataParallel, Fabric, Accelerate) average over processes instead, reduce in the middle
of the backward pass, and cannot do a pass again after one process ran out of memory.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as distributed
from torch import nn

CPU = torch.device("cpu")
Row = TypeVar("Row")


@dataclass(frozen=True)
class Processes:
    """One process among all; alone unless `torch.distributed` is started.

    Attributes
    ----------
    rank
        0 is the one that writes.
    device
        On which numbers are exchanged.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = CPU

    def part(self, rows: Sequence[Row]) -> list[Row]:
        """Return this process's part of some rows; parts differ by one row at most."""
        edges = np.linspace(0, len(rows), self.count + 1).round().astype(int)
        return list(rows[edges[self.rank] : edges[self.rank + 1]])

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all processes, in each of them."""
        if self.count == 1:
            return
        gradients = [weights.grad for weights in parameters if weights.grad is not None]
        together = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(together)
        for gradient, total in zip(
            gradients, together.split([part.numel() for part in gradients]), strict=True
        ):
            gradient.copy_(total.view(gradient.shape))

    def add(self, values: dict[str, float]) -> dict[str, float]:
        """Add up named values; every process gives the same names."""
        return self._reduce(values, distributed.ReduceOp.SUM)

    def largest(self, values: dict[str, float]) -> dict[str, float]:
        """Return the largest of each named value: what the processes agree on."""
        return self._reduce(values, distributed.ReduceOp.MAX)

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.count > 1:
            distributed.barrier()

    def _reduce(
        self, values: dict[str, float], how: "distributed.ReduceOp.RedOpType"
    ) -> dict[str, float]:
        if self.count == 1:
            return values
        names = sorted(values)
        together = torch.tensor([values[n] for n in names], dtype=torch.float64, device=self.device)
        distributed.all_reduce(together, how)
        return dict(zip(names, together.tolist(), strict=True))


ALONE = Processes()
