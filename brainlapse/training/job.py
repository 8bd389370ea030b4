"""One training job as plain values, so that several processes can take part in it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from brainlapse.runtime import read_json, write_json
from brainlapse.space import SpaceSettings
from brainlapse.training.data.scans import load_training_data
from brainlapse.training.devices.processes import Processes
from brainlapse.training.heads.loading import load_heads
from brainlapse.training.loop.loop import train
from brainlapse.training.loop.volume_error import load_judge
from brainlapse.training.model.state import TrainingState
from brainlapse.training.principal import Fitted, fit
from brainlapse.training.resume.checkpoint import ResumeFolder, describe_run
from brainlapse.training.settings import AutoencoderSettings

JOB_NAME = "job.json"


@dataclass(frozen=True)
class Job:
    """What a process has to know to take part in a training run.

    Attributes
    ----------
    model
        Name in the config.
    settings, space
        As in the config.
    selection
        Rows of dataset, scan, split and path.
    code
        Fingerprint of the code.
    root
        Folder of all resume states.
    precision
        float32, bfloat16 or float16.
    nodes, per_node
        Nodes of a SLURM job (1: none needed), and processes on each; all share every batch.
    device
        Kind of device: cpu or cuda.
    threads
        Of the processes of one node together.
    board
        Folder for TensorBoard.
    labels
        Rows of dataset, scan, task, task_kind, label and coded, of training scans only; empty for
        a model without heads.
    """

    model: str
    settings: dict[str, Any]
    space: dict[str, Any]
    selection: list[list[str]]
    code: dict[str, str]
    seed: int
    root: str
    precision: str
    nodes: int
    per_node: int
    device: str
    threads: int
    board: str
    labels: list[list[Any]] = field(default_factory=list)

    @property
    def processes(self) -> int:
        """Number of them on all nodes."""
        return self.nodes * self.per_node

    @property
    def threads_each(self) -> int:
        """Threads of one process."""
        return max(1, self.threads // self.per_node)

    def resume_folder(self, settings: AutoencoderSettings) -> ResumeFolder:
        """Folder of the checkpoints that fit this job."""
        identity = describe_run(
            settings.model_dump(mode="json"), self.code, self.selection, self.seed, self.space,
            self.device, self.precision, self.processes,
        )  # fmt: skip
        if self.labels:
            identity["labels"] = self.labels
        minutes = settings.training.checkpoint_minutes
        return ResumeFolder(self.root, self.model, identity, minutes)

    def save(self, folder: Path) -> Path:
        """Write the job for the other processes."""
        write_json(folder / JOB_NAME, asdict(self))
        return folder / JOB_NAME


def read_job(path: str | Path) -> Job:
    """Read what `Job.save` wrote."""
    return Job(**read_json(path))


def train_job(
    job: Job, resume: ResumeFolder, processes: Processes, device: torch.device
) -> TrainingState | Fitted:
    """Read the scans and train (or fit, the `pca` family); every process of the job calls this."""
    settings = AutoencoderSettings.model_validate(job.settings)
    space = SpaceSettings.model_validate(job.space)
    if processes.rank > 0:
        processes.wait()  # until the first one has written the file that all map
    data = load_training_data(
        job.selection, space.shape, space.voxel_mm, resume.path, processes.count > 1
    )
    if processes.rank == 0:
        processes.wait()
    if settings.network.family == "pca":
        return fit(settings, data, resume)
    judge = load_judge(settings.training, data.grid)
    board = Path(job.board) if settings.training.tensorboard and processes.rank == 0 else None
    heads = load_heads(settings, job.labels, data)
    return train(
        settings, data, job.seed, resume, device, job.precision, processes, judge, board, heads
    )
