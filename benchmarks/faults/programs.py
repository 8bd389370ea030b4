"""Programs that misbehave: each end is told, and nothing of them is left."""

import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.faults.reference import Reference
from benchmarks.faults.trials import STUCK, SURVIVED, UNCLEAR, WRONG, Trial
from brainlapse.programs import Program, ProgramFailed, run_program

LIMIT_S, SPARE_S = 3.0, 60.0
ESCAPES = {
    "no child": "",
    "child": "if os.fork() == 0:\n    time.sleep(9999)\n",
    "own group": "if os.fork() == 0:\n    os.setpgid(0, 0); time.sleep(9999)\n",
    "own session": "if os.fork() == 0:\n    os.setsid(); time.sleep(9999)\n",
    "daemon": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(9999)\n"
        "    os._exit(0)\n"
    ),
    "deaf daemon": (
        "if os.fork() == 0:\n    os.setsid()\n"
        "    [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]\n    time.sleep(9999)\n"
    ),
}
TALK = {
    "silent": "",
    "one line": "print('hello', flush=True)\n",
    "ten megabytes": "sys.stdout.write('x' * 10**7); sys.stdout.flush()\n",
    "not UTF-8": "os.write(1, bytes(range(256)))\n",
    "closed output": "os.close(1); os.close(2)\n",
}
WELL = "ends well"
ENDS = {
    WELL: "",
    "exit 1": "os._exit(1)\n",
    "exit 255": "os._exit(255)\n",
    "killed": "os.kill(os.getpid(), 9)\n",
    "terminated": "os.kill(os.getpid(), 15)\n",
    "aborted": "os.abort()\n",
    "hangs": "time.sleep(9999)\n",
    "hangs and is deaf": (
        "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]\ntime.sleep(9999)\n"
    ),
    "hangs, stopped": "os.kill(os.getpid(), 19)\n",
}


def programs(
    reference: Reference, folder: Path, rng: random.Random, trials: int
) -> Iterator[Trial]:
    """Run program after program: a way to leave processes, to talk and to end."""
    for number in range(3 * trials):
        escape, talk, end = (rng.choice(list(kind)) for kind in (ESCAPES, TALK, ENDS))
        place = folder / str(number)
        place.mkdir(parents=True)
        code = ESCAPES[escape] + TALK[talk] + ENDS[end]
        fault = f"{escape}, {talk}, {end}"
        yield Trial("program", fault, *attempt(place, code, ends_well=end == WELL))
        shutil.rmtree(place, ignore_errors=True)


def attempt(folder: Path, code: str, ends_well: bool) -> tuple[str, str]:
    """Run one program and look at what is told and what is left."""
    partial = folder / "work" / "output"
    partial.mkdir(parents=True)
    script = folder / "program.py"
    head = f"import os, signal, sys, time\nopen({str(partial / 'half')!r}, 'w').close()\n"
    script.write_text(head + code)
    command = [sys.executable, str(script)]
    program = Program(command=command, folder=partial.parent, partial=partial, limit_s=LIMIT_S)
    began = time.monotonic()
    try:
        run_program(program, folder / "log")
        told = ""
    except ProgramFailed as error:
        told = str(error)
    except Exception as error:
        return UNCLEAR, repr(error)
    if time.monotonic() - began > LIMIT_S + SPARE_S:
        return STUCK, f"{time.monotonic() - began:.0f} s"
    if bool(told) == ends_well:
        return WRONG, told or "passed for a program that ended well"
    if left := running(script):
        return WRONG, f"processes left: {left}"
    if told and partial.exists():
        return WRONG, "half an output is left"
    return SURVIVED, ""


def running(script: Path) -> list[int]:
    """List the processes that run a script, whoever their parent is."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            state = (path.with_name("stat")).read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(script) in words and state != "Z":
            found.append(int(path.parent.name))
    return found


PARTS: dict[str, Callable] = {"program": programs}
