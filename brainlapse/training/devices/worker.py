"""A further process of a training job.

python -m brainlapse.training.devices.worker JOB HOST PORT RANK

HOST and PORT are those of the leading process. Where srun starts several, RANK is the first one's.
"""

import logging
import os
import sys

import torch.distributed as distributed

from brainlapse import runtime
from brainlapse.training.devices.device import choose_device
from brainlapse.training.devices.launch import connect, join, watched
from brainlapse.training.job import read_job, train_job
from brainlapse.training.loop.steps import TrainingDiverged
from brainlapse.training.settings import AutoencoderSettings


def main(path: str, host: str, port: int, rank: int) -> None:
    """Take part in a job; the process with rank 0 reports and writes."""
    runtime.open_log(None)
    logging.getLogger("brainlapse").setLevel(logging.WARNING)
    job = read_job(path)
    with watched(connect(job, host, port)):
        runtime.limit_threads(job.threads_each)
        runtime.keep_memory()
        rank += int(os.environ.get("SLURM_PROCID", 0))
        device = choose_device(rank % job.per_node, job.device)
        resume = job.resume_folder(AutoencoderSettings.model_validate(job.settings))
        try:
            train_job(job, resume, join(job, connect(job, host, port), rank, device), device)
        except TrainingDiverged:
            pass  # all processes find the same; the first one says it
        finally:
            if distributed.is_initialized():
                distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
