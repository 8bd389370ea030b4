"""A tiny training problem."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainlapse.training.data import ScanSet, TrainingData
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
