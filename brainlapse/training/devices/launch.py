"""Start the other processes of a training job, on this node and others, and end with them.

They are fresh Python processes that read the job from a file: a fork would inherit torch's
threads, and `multiprocessing` would run the calling script again.
All meet at a store of the leading process, which knows no passwords: on one node it listens to that
node alone. Only addresses and numbers are exchanged, never pickled objects.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as distributed

from brainlapse import runtime
from brainlapse.provenance import ROOT
from brainlapse.training.devices.nodes import find_nodes, outside_of_steps, srun_command
from brainlapse.training.devices.processes import Processes
from brainlapse.training.job import Job

HOST = "127.0.0.1"
PATIENCE = timedelta(hours=2)  # of one process for the others, which may be reading scans
GRACE_SECONDS = 10  # to report an error of one's own before the end of another process counts

log = logging.getLogger("brainlapse")


def count_processes(devices: int | str, batch_size: int, device: torch.device) -> int:
    """Turn `training.devices` into a number of processes of one node.

    Parameters
    ----------
    batch_size
        Scans per update that this node takes.

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

    Raises
    ------
    ValueError
        If several nodes are wanted, and this is no SLURM job that has them.
    """
    if job.processes == 1:
        yield Processes(device=device)
        return
    runtime.limit_threads(job.threads_each)
    store = open_store(job)
    commands = _worker_commands(job, job.save(folder), store.port)
    others = [_start(command) for command in commands]
    ended = threading.Event()
    threading.Thread(target=_end_with, args=(others, ended), daemon=True).start()
    try:
        yield join(job, store, 0, device)
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


def open_store(job: Job) -> distributed.TCPStore:
    """Open the store of a job at a free port; on one node, only this node reaches it."""
    listener = socket.create_server((HOST, 0)) if job.nodes == 1 else None
    port = listener.getsockname()[1] if listener else 0
    return distributed.TCPStore(
        HOST, port, job.processes, is_master=True, wait_for_workers=False,
        master_listen_fd=listener.detach() if listener else None,
    )  # fmt: skip


def connect(job: Job, host: str, port: int) -> distributed.TCPStore:
    """Connect to the store of the leading process."""
    return distributed.TCPStore(host, port, job.processes, is_master=False)


def join(job: Job, store: distributed.TCPStore, rank: int, device: torch.device) -> Processes:
    """Join the processes of a job that meet at a store."""
    if job.nodes == 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # host names need not resolve on a node
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(
        backend, store=store, rank=rank, world_size=job.processes, timeout=PATIENCE
    )
    return Processes(rank, job.processes, device)


def _worker_commands(job: Job, path: Path, port: int) -> list[list[str]]:
    """Return one command per further process of this node, and one for all other nodes."""
    worker = [sys.executable, "-m", "brainlapse.training.devices.worker", str(path.resolve())]
    commands = [[*worker, HOST, str(port), str(rank)] for rank in range(1, job.per_node)]
    if job.nodes > 1:
        nodes = find_nodes(job.nodes)
        log.info("nodes: this one (%s), %s", nodes.address, ", ".join(nodes.others))
        remote = [*worker, nodes.address, str(port), str(job.per_node)]
        commands.append(srun_command(nodes.others, job.per_node, job.threads_each, remote))
    return commands


def _start(command: list[str]) -> subprocess.Popen:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = outside_of_steps(dict(os.environ))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


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


@contextlib.contextmanager
def watched(store: distributed.TCPStore) -> Iterator[None]:
    """End this process where the leading one is gone, inside a `with` block.

    Parameters
    ----------
    store
        A connection of its own, since another one may be waiting. It breaks with the leading
        process, on whichever node that is.
    """
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            try:
                store.check(["alive"])
            except RuntimeError:
                os._exit(143)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
