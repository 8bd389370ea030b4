"""End a program whose job died without cleaning up (``kill -9``, no memory, a cancelled job).

A program of its own, beside the job and without the library: it waits until the pipe from the job
closes, which the kernel does however the job ends.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

STOP_TIMEOUT_S = 60


def end(process_group: int, folder: str, stop: Sequence[str]) -> None:
    """Kill the processes, stop the container if there is one, remove the partial output.

    Parameters
    ----------
    process_group
        Of the program or of the container's client.
    folder
        With input copies and partial output.
    stop
        Arguments that stop the container; empty where there is none.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process_group, signal.SIGKILL)
    if stop:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(stop, capture_output=True, check=False, timeout=STOP_TIMEOUT_S)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # A cancelled cluster job gets SIGTERM in all its processes, and some seconds to end.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
