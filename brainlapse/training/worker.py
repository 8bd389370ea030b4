"""A further process of a training job.

python -m brainlapse.training.worker JOB RANK PORT LEADER
"""

import logging
import sys

import torch.distributed as distributed

from brainlapse import runtime
from brainlapse.training.device import choose_device
from brainlapse.training.job import read_job, train_job
from brainlapse.training.launch import HOST, join, watch_leader
from brainlapse.training.settings import AutoencoderSettings
from brainlapse.training.steps import TrainingDiverged


def main(path: str, rank: int, port: int, leader: str) -> None:
    """Take part in a job; the process with rank 0 reports and writes."""
    runtime.open_log(None)
    logging.getLogger("brainlapse").setLevel(logging.WARNING)
    watch_leader(leader)
    job = read_job(path)
    runtime.limit_threads(max(1, job.threads // job.processes))
    runtime.keep_memory()
    device = choose_device(rank, job.device)
    store = distributed.TCPStore(HOST, port, job.processes, is_master=False)
    resume = job.resume_folder(AutoencoderSettings.model_validate(job.settings))
    try:
        train_job(job, resume, join(store, rank, job.processes, device), device)
    except TrainingDiverged:
        pass  # all processes find the same; the first one says it
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
