"""Run one program and end it with everything that it started, however its job ends.

A process of its own between job and program, without the library. As the "subreaper" of all that
comes after it, it inherits processes that moved into a session of their own, and finds them. It
says over a pipe how the program ended. A second pipe comes from the job: a byte or the end of it
means that all shall end; without the byte the job died, and its files go as well.

Container engines are the exception: what they leave behind belongs to the engine, which has a
command to stop a container.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

STOP_TIMEOUT_S = 60
KILL_TIMEOUT_S = 10
PR_SET_CHILD_SUBREAPER = 36
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(report: int, folder: str, stop: Sequence[str], command: Sequence[str]) -> None:
    """Run the command; write ``started PID`` and then ``code N``, or ``failed WHY``.

    Parameters
    ----------
    report
        Descriptor of the pipe to the job.
    folder
        Of the job, removed if the job dies.
    stop
        Arguments that stop the container; empty where there is none.
    command
        Program and arguments.
    """
    # A cancelled cluster job gets SIGTERM in all its processes, and some seconds to end.
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    job = sys.stdin.fileno()
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_forget_signals
        )
    except OSError as error:
        _say(report, f"failed {error.strerror}")
        return
    _say(report, f"started {process.pid}")
    while process.poll() is None and job not in select.select([job, wake], [], [])[0]:
        os.read(wake, 64)
    code = process.poll()
    if code is None:
        died = not os.read(job, 1)
        end(process.pid, stop)
        if died:
            shutil.rmtree(folder, ignore_errors=True)
        return
    if code or not stop:
        end(process.pid, stop)
    _say(report, f"code {code}")


def end(group: int, stop: Sequence[str]) -> None:
    """Kill the program and all that it started; of a container engine, stop the container."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    if stop:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(stop, capture_output=True, check=False, timeout=STOP_TIMEOUT_S)
        return
    deadline = time.monotonic() + KILL_TIMEOUT_S
    # Whatever lives descends from a child of this process: without one, nothing is left.
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            for pid in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """List the processes that live and descend from one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            number = int(entry.name)
            status = (entry / "stat").read_text(encoding="latin-1")
            state, parent = status.rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(number)
    found, waiting = [], [pid]
    while waiting:
        found += (born := children.get(waiting.pop(), []))
        waiting += born
    return found


def _forget_signals() -> None:
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)


def _say(report: int, text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(report, f"{text}\n".encode())


if __name__ == "__main__":
    split = sys.argv.index("--")
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:split], sys.argv[split + 1 :])
