"""The history for TensorBoard, beside the table."""

from pathlib import Path
from typing import Any

POSITION = ("epoch", "step")


class Board:
    """Writes rows of the history inside a `with` block; without a folder it does nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._writer: Any = None

    def __enter__(self) -> "Board":
        if self.folder is not None:
            from torch.utils.tensorboard import SummaryWriter  # only where it is asked for

            self._writer = SummaryWriter(str(self.folder))
        return self

    def add(self, row: dict[str, Any]) -> None:
        """Add the numbers of an epoch at its last step."""
        if self._writer is None:
            return
        for name, value in row.items():
            if name not in POSITION:
                self._writer.add_scalar(name.replace("_", "/", 1), value, row["step"])

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()
