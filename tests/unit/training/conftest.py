"""A tiny training problem."""

import os

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainlapse.training.data.scans import ScanSet, TrainingData
from brainlapse.training.settings import AutoencoderSettings


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(random.random((7, 16, 16, 16)), (0, 2, 2, 2))
    volumes = ((noise - noise.min()) / np.ptp(noise)).astype(np.float16)
    train = ScanSet(tuple(f"made/sub-{n}" for n in range(5)), volumes[:5])
    return TrainingData(train, ScanSet(("made/sub-5", "made/sub-6"), volumes[5:]), 2.5)


@pytest.fixture
def settings():
    return AutoencoderSettings.model_validate(
        {
            "network": {"channels": [8, 16], "residual_blocks": 1},
            "loss": {
                "perceptual": {"network": "none"},
                "adversarial_start_epoch": 1,
                "discriminator_channels": 4,
                "discriminator_layers": 1,
            },
            "training": {"steps": 8, "batch_size": 2, "checkpoint_minutes": 60},
        }
    )


@pytest.fixture
def changed(settings):
    """Settings with other values of `training` or `loss`."""

    def change(training=None, loss=None):
        parts = {"training": training or {}, "loss": loss or {}}
        return settings.model_copy(
            update={
                name: getattr(settings, name).model_copy(update=values)
                for name, values in parts.items()
            }
        )

    return change


STANDINS = {
    "squeue": 'echo "7 n[1-2]"',
    "scontrol": "printf 'n1\\nn2\\n'",
    "sinfo": "echo 127.0.0.1",
    # Like srun: the command once per task, with its number; one that fails ends the others.
    "srun": """
for option in "$@"; do
    case $option in --ntasks=*) tasks=${option#*=} ;; --*) ;; *) break ;; esac
done
while [[ $1 == --* ]]; do shift; done
for ((task = 0; task < tasks; task++)); do
    SLURM_PROCID=$task "$@" &
    echo $! >> "$TASKS_OF_SRUN"
done
trap 'kill $(jobs -p)' TERM
for ((task = 0; task < tasks; task++)); do
    wait -n || { code=$?; kill $(jobs -p) 2> /dev/null; wait; exit $code; }
done
""",
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Stand-ins for the commands of SLURM, of a job with two nodes that are both this one.

    Returns the file in which the pretended srun notes its tasks' process ids.
    """
    for name, script in STANDINS.items():
        path = tmp_path / "slurm" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'slurm'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURMD_NODENAME", "n1")
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    monkeypatch.setenv("TASKS_OF_SRUN", str(tmp_path / "tasks"))
    return tmp_path / "tasks"
