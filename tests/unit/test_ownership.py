"""An output folder has one owner, whose death frees it; what it left half written goes."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brainlapse import ownership, runtime

ROOT = Path(__file__).parents[2]

CLAIM = (
    "from brainlapse.ownership import claim_output; claim_output({!r}); print('held', flush=True)"
)


def test_output_folder_has_one_owner_that_kill_9_removes(tmp_path):
    code = CLAIM.format(str(tmp_path)) + "\nimport time\ntime.sleep(60)"
    owner = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(RuntimeError, match=f"process {owner.pid}"):
        ownership.claim_output(tmp_path)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    ownership.claim_output(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_the_owner_on_this_host_still_counts(tmp_path, monkeypatch, caplog, number):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ownership.fcntl, "flock", refuse)
    ownership.claim_output(tmp_path)
    ownership.claim_output(tmp_path)  # by this very process
    assert "can't be locked here" in caplog.text
    lock = tmp_path / ".resume/run.lock"
    other = subprocess.Popen(["sleep", "60"])
    started = runtime._start_time(other.pid)
    lock.write_text(f"process 1 on here\n{os.uname().nodename}:{other.pid}:{started}\n")
    with pytest.raises(RuntimeError, match=r"another run \(process 1 on here\)"):
        ownership.claim_output(tmp_path)
    other.kill()
    other.wait()
    ownership.claim_output(tmp_path)
    for text in ("", "process 1 on there\n", "process 1 on there\nthere:1:1\n", "\0\0"):
        lock.write_text(text)
        ownership.claim_output(tmp_path)


def test_what_a_killed_job_left_is_swept_and_nothing_else(tmp_path):
    kept = ["a.tsv", ".hidden.tmp", ".tmp", "deep/b.tmp.nii.gz"]
    for name in kept:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with runtime.atomic_path(tmp_path / "deep/er/c.nii.gz") as temporary:
        left = temporary.with_name(f".{'0' * 32}.tmp.nii.gz")
        left.touch()
        temporary.touch()
    ownership.sweep(tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*kept, "deep/er/c.nii.gz"}
