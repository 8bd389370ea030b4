"""Start the other processes of a training job on this node, and end with them.

They are fresh Python processes that read the job from a file: a fork would inherit torch's
threads, and `multiprocessing` would run the calling script again.
"""

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as distributed

from brainlapse import runtime
from brainlapse.provenance import ROOT
from brainlapse.training.job import Job
from brainlapse.training.processes import Processes

HOST = "127.0.0.1"
PATIENCE = timedelta(hours=2)  # of one process for the others, which may be reading scans
GRACE_SECONDS = 10  # to report an error of one's own before the end of another process counts

log = logging.getLogger("brainlapse")


def count_processes(devices: int | str, batch_size: int, device: torch.device) -> int:
    """Turn `training.devices` into a number of processes.

    Raises
    ------
    ValueError
        If there are not as many GPUs.
    """
    present = torch.cuda.device_count() if device.type == "cuda" else 1
    if devices == "auto":
        return min(present, batch_size)
    if device.type == "cuda" and int(devices) > present:
        message = (
            f"training.devices: expected {devices} GPUs, found {present}; ask the scheduler for "
            "more (resources: gpu), or set devices: auto"
        )
        raise ValueError(message)
    return int(devices)


@contextlib.contextmanager
def all_processes(job: Job, folder: Path, device: torch.device) -> Iterator[Processes]:
    """Start the other processes of a job and join them inside a `with` block.

    Parameters
    ----------
    folder
        Of the resume state; the job's file is written there.
    device
        Of this process, the one with rank 0.
    """
    if job.processes == 1:
        yield Processes(device=device)
        return
    runtime.limit_threads(max(1, job.threads // job.processes))
    store = distributed.TCPStore(HOST, 0, job.processes, is_master=True, wait_for_workers=False)
    path = job.save(folder)
    others = [_start(path, rank, store.port) for rank in range(1, job.processes)]
    ended = threading.Event()
    threading.Thread(target=_end_with, args=(others, ended), daemon=True).start()
    try:
        yield join(store, 0, job.processes, device)
    except BaseException:
        for process in others:
            process.terminate()
        raise
    finally:
        ended.set()
        if distributed.is_initialized():
            distributed.destroy_process_group()
        for process in others:
            _wait(process)


def join(store: distributed.TCPStore, rank: int, count: int, device: torch.device) -> Processes:
    """Join the processes of a job that meet at a store."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # host names need not resolve on a node
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(
        backend, store=store, rank=rank, world_size=count, timeout=PATIENCE
    )
    return Processes(rank, count, device)


def _start(job: Path, rank: int, port: int) -> subprocess.Popen:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    leader = runtime.process_token()
    command = [sys.executable, "-m", "brainlapse.training.worker", str(job), str(rank), str(port)]
    return subprocess.Popen([*command, leader], env=environment)


def _end_with(others: list[subprocess.Popen], ended: threading.Event) -> None:
    """End this process when another one failed: it would wait for it for ever."""
    while not ended.wait(1):
        failed = [process for process in others if process.poll()]
        if failed and not ended.wait(GRACE_SECONDS):
            code = failed[0].returncode
            log.error("a process of this training ended with %d; its messages are above", code)
            os._exit(1)


def _wait(process: subprocess.Popen) -> None:
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


def watch_leader(token: str) -> None:
    """End this process when the one that started it is gone."""

    def watch() -> None:
        while not runtime.process_is_gone(token):
            time.sleep(1)
        os._exit(143)

    threading.Thread(target=watch, daemon=True).start()
