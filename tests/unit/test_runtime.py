"""Files appear whole or not at all; jobs follow their leader."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainlapse import runtime

ROOT = Path(__file__).parents[2]


def test_file_appears_whole(tmp_path):
    with runtime.atomic_path(tmp_path / "new" / "a.nii.gz") as temporary:
        temporary.write_text("half")
        assert temporary.name.endswith(".nii.gz")
        assert not (tmp_path / "new" / "a.nii.gz").exists()
    assert (tmp_path / "new" / "a.nii.gz").read_text() == "half"


def test_failed_write_leaves_the_old_file_and_no_debris(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), runtime.atomic_path(path) as temporary:
        temporary.write_bytes((tmp_path / "missing").read_bytes())
    assert [file.name for file in tmp_path.iterdir()] == ["a.tsv"]
    assert path.read_text() == "old"


def test_table_keeps_identifiers_and_missing_values(tmp_path):
    frame = pd.DataFrame(
        {"subject": ["sub-01", "sub-NA"], "session": ["01", None], "age_years": [50.5, np.nan]}
    )
    runtime.write_table(tmp_path / "t.tsv", frame)
    assert "n/a" in (tmp_path / "t.tsv").read_text()
    found = runtime.read_table(tmp_path / "t.tsv")
    assert found["subject"].tolist() == ["sub-01", "sub-NA"]
    assert found["session"][0] == "01"
    assert pd.isna(found["session"][1])


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        runtime.write_json(tmp_path / "a.json", {"value": float("nan")})


def test_job_ends_when_its_leader_is_killed(tmp_path):
    job = "from brainlapse import runtime; runtime.watch_leader(); import time; time.sleep(60)"
    leader = (
        "import os, subprocess, sys, time; from brainlapse import runtime;"
        "os.environ[runtime.RUN_TOKEN] = runtime.process_token();"
        f"job = subprocess.Popen([sys.executable, '-c', {job!r}]);"
        "print(job.pid, flush=True); time.sleep(60)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "SLURM_JOB_ID"}
    process = subprocess.Popen(
        [sys.executable, "-c", leader],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    pid = int(process.stdout.readline())
    time.sleep(1.5)  # the job has imported the library and watches
    assert Path(f"/proc/{pid}").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until_gone(pid, seconds=20)


def test_only_ended_processes_of_this_host_are_gone():
    token = runtime.process_token()
    host, pid, started = token.split(":")
    assert not runtime.process_is_gone(token)
    assert runtime.process_is_gone(f"{host}:{pid}:{int(started) + 1}")
    assert not runtime.process_is_gone(f"other-{host}:{pid}:{int(started) + 1}")
    assert not runtime.process_is_gone("nonsense")


def wait_until_gone(pid, seconds):
    for _ in range(seconds * 10):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (80, "1 min 20 s"), (3725, "1 h 02 min")]
)
def test_durations_read_well(seconds, text):
    assert runtime.format_duration(seconds) == text


def test_freed_memory_stays_in_the_process():
    """Page faults of taking a large array again, in a process of its own: none once kept."""
    script = """
import resource, sys
import numpy as np
from brainlapse.runtime import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8_000_000)
before = faults()
for _ in range(4):
    np.ones(8_000_000)
print(faults() - before)
"""
    counts = [
        int(subprocess.check_output([sys.executable, "-c", script, mode], cwd=ROOT, text=True))
        for mode in ("keep", "leave")
    ]
    if counts[1] < 100:
        pytest.skip("this system's allocator keeps memory by itself")
    assert counts[0] < counts[1] / 10


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_without_glibc_memory_is_left_to_the_system(monkeypatch, error):
    def missing(name):
        raise error

    monkeypatch.setattr(runtime.ctypes, "CDLL", missing)
    runtime.keep_memory()


def test_files_of_private_writers_can_be_read_by_the_group(tmp_path):
    with runtime.atomic_path(tmp_path / "weights") as temporary:
        temporary.touch(mode=0o600)
    (tmp_path / "plain").touch()
    modes = [(tmp_path / name).stat().st_mode for name in ("weights", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize(("limit_bytes", "refused"), [(790_000_000, True), (3_000_000_000, False)])
def test_too_few_addresses_are_said_before_anything_hangs(tmp_path, limit_bytes, refused):
    script = f"""
import resource
from types import SimpleNamespace
resource.setrlimit(resource.RLIMIT_AS, ({limit_bytes}, {limit_bytes}))
from brainlapse import runtime
runtime.start(SimpleNamespace(log=["{tmp_path}/job.log"], threads=1))
print("started")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    said = (tmp_path / "job.log").read_text()
    assert ("started" in done.stdout) != refused
    assert ("at least 2 GB of addresses" in said and "0.79 GB" in said) == refused
