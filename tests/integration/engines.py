"""Container engines of this machine, each with an image that holds the stand-in."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from brainlapse.containers import OWNER_LABEL
from brainlapse.segmentation.settings import SegmentationSettings

IMAGE = "brainlapse-stand-in:test"
PROBE = ("/bin/sh", "-c", "exit 0")
# A sandbox that may not raise limits (no CAP_SYS_RESOURCE) needs podman's to be low.
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


@dataclass(frozen=True)
class Engine:
    """An engine that runs containers, and the image in it."""

    backend: str
    image: str
    options: tuple[str, ...] = ()

    def settings(self, mode, **others):
        """Settings that run the stand-in under one of its names."""
        return SegmentationSettings(
            backend=self.backend,
            image=self.image,
            binary=f"/opt/standin/{mode}",
            container_options=list(self.options),
            **others,
        )

    def containers(self):
        """Ids of the containers that carry an owner, running or not."""
        if self.backend == "apptainer":
            return []
        listed = ask(
            self.backend, "ps", "--all", "--quiet", "--filter", f"label={OWNER_LABEL}", check=True
        )
        return listed.stdout.split()


def ask(*command, check=False):
    """Run a command of an engine."""
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=120)


@contextlib.contextmanager
def started_engine(backend: str, root: Path, folder: Path) -> Iterator[Engine]:
    """Start what an engine needs, give it the image; skip the test where that cannot be."""
    if shutil.which(backend) is None:
        pytest.skip(f"{backend} is not installed")
    with contextlib.ExitStack() as stack:
        if backend == "docker":
            stack.enter_context(_docker_daemon(folder))
        image = str(root) if backend == "apptainer" else _imported(backend, root, folder, stack)
        yield Engine(backend, image, tuple(_working_options(backend, image)))


def _imported(backend, root, folder, stack):
    archive = folder / "root.tar"
    ask("tar", "--directory", str(root), "--create", "--file", str(archive), ".", check=True)
    done = ask(backend, "import", str(archive), IMAGE)
    if done.returncode:
        pytest.skip(f"{backend} imports no image: {done.stderr.strip()[-300:]}")
    stack.callback(ask, backend, "rmi", "--force", IMAGE)
    return IMAGE


def _working_options(backend, image):
    start = ["exec", "--no-privs"] if backend == "apptainer" else ["run", "--rm", "--network=none"]
    for options in ([], LIMITS) if backend == "podman" else ([],):
        done = ask(backend, *start, *options, image, *PROBE)
        if done.returncode == 0:
            return options
    return pytest.skip(f"{backend} starts no container here: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def _docker_daemon(folder: Path) -> Iterator[None]:
    """Use the running daemon, or as root start one of our own that touches no firewall."""
    answer = ask("docker", "version")
    if answer.returncode == 0:
        yield
        return
    if os.getuid() or shutil.which("dockerd") is None:
        pytest.skip(f"no docker daemon can be used: {answer.stderr.strip()[-300:]}")
    address = f"unix://{folder}/docker.sock"
    paths = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    log_file = folder / "dockerd.log"
    with log_file.open("wb") as stream, pytest.MonkeyPatch.context() as patch:
        daemon = subprocess.Popen(
            ["dockerd", "--iptables=false", "--bridge=none", f"--host={address}", *paths],
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            patch.setenv("DOCKER_HOST", address)
            deadline = time.monotonic() + 30
            while ask("docker", "version").returncode:
                if daemon.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"dockerd does not start: {log_file.read_text()[-300:]}")
                time.sleep(0.2)
            yield
        finally:
            daemon.terminate()
            daemon.wait(timeout=60)
