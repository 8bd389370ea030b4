"""Whatever a program does, its end is told in a sentence and nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainlapse.guard import descendants
from brainlapse.programs import Program, ProgramFailed, last_lines, run_program

ROOT = Path(__file__).parents[2]
SLEEP_S = 97  # no other process of these tests sleeps as long
ESCAPES = {  # ways out of the program's process group; each leaves a sleeping process
    "own session": "if os.fork() == 0:\n    os.setsid(); os.execv('/bin/sleep', ['sleep', '{s}'])",
    "daemon": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.execve('/bin/sleep', ['sleep', '{s}'], {{}})\n    os._exit(0)"
    ),
    "own group": (
        "if os.fork() == 0:\n    os.setpgid(0, 0)\n    os.execv('/bin/sleep', ['sleep', '{s}'])"
    ),
}
ENDINGS = {  # what the program itself does then -> what is said of it
    "import time; time.sleep(97)": r"ran past the time limit of 1 s",
    "sys.exit(3)": "exit code 3",
    "os.kill(os.getpid(), 9)": "exit code -9 .killed",
}


def sleepers():
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"{SLEEP_S}".encode() in words:
                found.append(int(entry.name))
    return found


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def program(tmp_path):
    def make(code, **more):
        partial = tmp_path / "folder" / "output"
        partial.mkdir(parents=True)
        script = tmp_path / "program.py"
        script.write_text(f"import os, sys\nopen({str(partial / 'half')!r}, 'w')\n{code}\n")
        command = [sys.executable, str(script)]
        return Program(
            command=command, folder=partial.parent, partial=partial, **{"limit_s": 60.0, **more}
        )

    return make


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_program_leaves_no_process_and_no_half_output(program, tmp_path, escape, ending):
    run = program(f"{ESCAPES[escape].format(s=SLEEP_S)}\n{ending}", limit_s=1.0)
    with pytest.raises(ProgramFailed, match=ENDINGS[ending]):
        run_program(run, tmp_path / "log")
    assert sleepers() == []
    assert run.folder.exists()
    assert not run.partial.exists()


def test_a_program_that_ends_well_leaves_its_output_and_no_process(program, tmp_path):
    run = program(f"{ESCAPES['daemon'].format(s=SLEEP_S)}\nprint('done')")
    run_program(run, tmp_path / "log")
    assert sleepers() == []
    assert (run.partial / "half").exists()
    assert last_lines(tmp_path / "log").endswith("done")


def test_what_an_engine_leaves_behind_is_its_own(program, tmp_path):
    run = program(ESCAPES["daemon"].format(s=SLEEP_S), stop=("true",))
    run_program(run, tmp_path / "log")
    (left,) = sleepers()
    os.kill(left, signal.SIGKILL)


def test_the_container_of_a_failed_engine_is_stopped(program, tmp_path):
    stopped = tmp_path / "stopped"
    with pytest.raises(ProgramFailed, match="exit code 125"):
        run_program(program("sys.exit(125)", stop=("touch", str(stopped))), tmp_path / "log")
    assert stopped.exists()


def test_a_program_that_is_not_there_is_named(tmp_path):
    run = Program(command=["/nowhere/tool"], folder=tmp_path, partial=tmp_path / "p", limit_s=9)
    with pytest.raises(ProgramFailed, match=r"cannot start /nowhere/tool \(No such file"):
        run_program(run, tmp_path / "log")


def test_signals_reach_the_program_as_usual(program, tmp_path):
    run = program("os.kill(os.getpid(), 15); import time; time.sleep(9)")
    with pytest.raises(ProgramFailed, match="exit code -15"):
        run_program(run, tmp_path / "log")


@pytest.mark.parametrize("victims", ["job", "guard"])
def test_a_killed_job_or_guard_leaves_nothing(tmp_path, victims):
    folder = tmp_path / "folder"
    folder.mkdir()
    code = (
        "import sys; from pathlib import Path; from brainlapse.programs import *\n"
        f"f = Path({str(folder)!r})\n"
        "try:\n    run_program(Program(command=['sh', '-c', "
        f"'sleep {SLEEP_S}; true'], folder=f, partial=f / 'p', limit_s=60), f / 'log')\n"
        "except ProgramFailed as error:\n    sys.exit(str(error))"
    )
    job = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert wait_for(lambda: len(sleepers()) >= 1 and len(descendants(job.pid)) >= 3)
    os.kill(job.pid if victims == "job" else descendants(job.pid)[0], signal.SIGKILL)
    said = job.communicate()[1]
    assert wait_for(lambda: not sleepers())
    if victims == "job":
        assert wait_for(lambda: not folder.exists())
    else:
        assert "the process that watches over it was killed" in said
