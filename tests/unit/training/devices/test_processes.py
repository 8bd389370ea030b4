"""Several processes on one CPU train like one with the same batches, also as several nodes."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainlapse.images import save_volume
from brainlapse.provenance import ROOT
from brainlapse.training import job
from brainlapse.training.devices import launch
from brainlapse.training.devices.processes import Processes
from brainlapse.training.loop import loop
from brainlapse.training.loop.steps import TrainingDiverged
from brainlapse.training.settings import TrainingSettings

CPU = torch.device("cpu")


@pytest.fixture
def make_job(settings, data, tmp_path):
    rows = []
    for split in ("train", "validation"):
        scans = getattr(data, split)
        for name, volume in zip(scans.names, scans.volumes, strict=True):
            path = tmp_path / f"{name.replace('/', '_')}.nii.gz"
            save_volume(path, volume.astype(np.float32), np.eye(4))
            rows.append(["made", name.removeprefix("made/"), split, str(path)])

    def make(folder, per_node, nodes=1, **training):
        # Batches of 4 and 1 scans: in every second step one process has none.
        shared = {"batch_size": 4, "steps": 6, "learning_rate": 1e-4, "clip_norm": 0.01}
        changed = settings.model_copy(
            update={
                "training": settings.training.model_copy(update={**shared, **training}),
                "loss": settings.loss.model_copy(
                    update={"adversarial_weight": 0.1, "sample_latent": True}
                ),
            }
        )
        return job.Job(
            model="m", settings=changed.model_dump(mode="json"),
            space={"voxel_mm": 2.5, "shape": [16, 16, 16]}, selection=rows, code={}, seed=0,
            root=str(tmp_path / folder), precision="float32", nodes=nodes, per_node=per_node,
            device="cpu", threads=1, board="",
        )  # fmt: skip

    return make


def run(work):
    resume = work.resume_folder(job.AutoencoderSettings.model_validate(work.settings))
    with launch.all_processes(work, resume.path, CPU) as processes:
        return job.train_job(work, resume, processes, CPU)


def assert_like(first, second, **tolerance):
    for name, weights in first.model.state_dict().items():
        torch.testing.assert_close(weights, second.model.state_dict()[name], **tolerance)
    for row, other in zip(first.history, second.history, strict=True):
        names = set(row) - {"seconds"}
        assert {n: row[n] for n in names} == pytest.approx({n: other[n] for n in names}, rel=1e-4)


def test_two_processes_equal_one_and_go_on_after_a_signal(make_job, monkeypatch):
    alone, shared = run(make_job("one", 1)), run(make_job("two", 2))
    assert "train_discriminator" in shared.history[-1]
    assert "validation_adversarial" in shared.history[-1]
    assert_like(alone, shared, atol=1e-5, rtol=1e-3)

    def interrupted(state, *arguments):
        if state.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)  # reaches one of the two
        return autoencoder_step(state, *arguments)

    autoencoder_step = loop.autoencoder_step
    monkeypatch.setattr(loop, "autoencoder_step", interrupted)
    with pytest.raises(SystemExit):
        run(make_job("cut", 2))
    monkeypatch.undo()
    cut = make_job("cut", 2)
    assert cut.resume_folder(job.AutoencoderSettings.model_validate(cut.settings)).restore(dict)
    assert_like(run(cut), shared, atol=0, rtol=0)


def test_heads_learn_the_same_in_two_processes(make_job):
    def work(folder, per_node):
        made = make_job(folder, per_node, steps=4)
        labels = [
            ["made", f"sub-{n}", "sex", "classification", "FM"[n % 2], n % 2] for n in (0, 1, 2, 4)
        ]
        heads = {"tasks": ["sex"], "weight": 1.0}
        return replace(made, settings={**made.settings, "heads": heads}, labels=labels)

    alone, shared = run(work("one", 1)), run(work("two", 2))
    assert alone.model.heads.layers["task-sex"].weight.abs().max() > 0
    assert_like(alone, shared, atol=1e-5, rtol=1e-3)
    assert (
        work("one", 1)
        .resume_folder(job.AutoencoderSettings.model_validate(work("one", 1).settings))
        .identity["labels"]
    )


def test_two_nodes_equal_one_process(make_job, slurm):
    alone = run(make_job("one", 1, steps=3))
    assert_like(alone, run(make_job("two", 1, nodes=2, steps=3)), atol=1e-5, rtol=1e-3)
    assert len(slurm.read_text().split()) == 1


def test_nodes_and_their_processes_multiply(make_job, slurm):
    alone = run(make_job("one", 1, steps=2))
    assert_like(alone, run(make_job("four", 2, nodes=2, steps=2)), atol=1e-5, rtol=1e-3)
    assert len(slurm.read_text().split()) == 2


LEADER = """
import sys
import torch
from brainlapse import runtime
from brainlapse.training import job
from brainlapse.training.devices import launch
runtime.open_log(None)
work = job.read_job(sys.argv[1])
resume = work.resume_folder(job.AutoencoderSettings.model_validate(work.settings))
device = torch.device("cpu")
with launch.all_processes(work, resume.path, device) as processes:
    job.train_job(work, resume, processes, device)
"""


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def is_running(pid):
    path = Path(f"/proc/{pid}/stat")
    return path.is_file() and path.read_text().rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "number", "code"),
    [
        ("leader", signal.SIGKILL, -signal.SIGKILL),
        ("worker", signal.SIGKILL, 1),
        ("leader", signal.SIGTERM, 128 + signal.SIGTERM),
        ("worker", signal.SIGUSR1, 128 + signal.SIGUSR1),
    ],
)
def test_no_process_outlives_another_on_the_other_node(
    make_job, slurm, tmp_path, victim, number, code
):
    work = make_job("cut", 1, nodes=2, steps=100_000, epochs=100_000, checkpoint_minutes=0)
    resume = work.resume_folder(job.AutoencoderSettings.model_validate(work.settings))
    command = [sys.executable, "-c", LEADER, str(work.save(tmp_path))]
    leader = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until((resume.path / "state.pt").is_file)
    worker = int(slurm.read_text())
    os.kill(leader.pid if victim == "leader" else worker, number)
    messages = leader.communicate(timeout=60)[1]
    assert leader.returncode == code, messages
    assert ("checkpoint written" in messages) == (number != signal.SIGKILL)
    until(lambda: not is_running(worker), 30)


OWNER = """
import time
from types import SimpleNamespace
from brainlapse.training.devices import launch
store = launch.open_store(SimpleNamespace(nodes=2, processes=2))
print(store.port, flush=True)
time.sleep(600)
"""

WAITING = """
import sys
import time
from types import SimpleNamespace
from brainlapse.training.devices import launch
with launch.watched(launch.connect(SimpleNamespace(processes=2), launch.HOST, int(sys.argv[1]))):
    print("watching", flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_process_that_only_waits_ends_with_the_leader():
    def start(program, *arguments):
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    with start(OWNER) as owner, start(WAITING, owner.stdout.readline()) as waiting:
        assert waiting.stdout.readline() == "watching\n"
        owner.kill()
        assert waiting.wait(30) == 143


def test_processes_that_found_other_checkpoints_do_not_go_on(monkeypatch, tmp_path):
    monkeypatch.setattr(Processes, "largest", lambda self, values: {"last": 4, "first": -2})
    with pytest.raises(RuntimeError, match="found steps 2 and 4"):
        loop._agree_on_checkpoint(Processes(0, 2), 4, tmp_path)


def test_a_loss_that_is_not_finite_in_one_process_ends_all(make_job, data):
    work = make_job("broken", 2)
    resume = work.resume_folder(job.AutoencoderSettings.model_validate(work.settings))
    volumes = data.train.volumes.copy()
    volumes[3] = np.nan
    resume.path.mkdir(parents=True)
    np.save(resume.path / "train.npy", volumes)  # where large cohorts are kept once read
    with pytest.raises(TrainingDiverged, match=r"scans .*made/sub-3.*l1 nan"):
        run(work)


def test_devices_are_counted(monkeypatch):
    assert launch.count_processes("auto", 8, CPU) == 1
    assert launch.count_processes(3, 8, CPU) == 3
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    cuda = torch.device("cuda")
    assert launch.count_processes("auto", 8, cuda) == 2
    assert launch.count_processes("auto", 1, cuda) == 1
    with pytest.raises(ValueError, match="expected 3 GPUs, found 2"):
        launch.count_processes(3, 8, cuda)


def test_more_devices_than_scans_of_a_batch_are_refused():
    with pytest.raises(ValueError, match="cannot be shared by 3 devices"):
        TrainingSettings(batch_size=2, devices=3)
