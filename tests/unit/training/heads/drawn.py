"""Drawn brains in which a ball's size tells the sex, and another one's the age."""

import numpy as np
import pandas as pd
import torch
from scipy import ndimage

from brainlapse.analysis.heads.labels import training_labels
from brainlapse.analysis.settings import TaskSettings
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.interface import without_heads
from brainlapse.training.data.scans import ScanSet, TrainingData, to_batch
from brainlapse.training.heads.loading import load_heads
from brainlapse.training.loop import loop
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings

CPU = torch.device("cpu")
SIZE = 16
LABELS = ["dataset", "scan", "task", "task_kind", "label", "coded"]
TASKS = [
    TaskSettings(name="sex", target="sex", kind="classification"),
    TaskSettings(name="age", target="age_years", kind="regression"),
]


def draw(sex, age_years, seed=0):
    """Volumes float16 (N, 16, 16, 16): a head with two dark balls, and smooth noise."""
    random = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*[np.linspace(-1, 1, SIZE)] * 3, indexing="ij"))

    def ball(x, radius):
        distance = np.linalg.norm(places - np.array([x, 0, 0])[:, None, None, None], axis=0)
        return 1 / (1 + np.exp((distance - radius) / 0.05))

    volumes = []
    for female, age in zip(sex == "F", age_years, strict=True):
        noise = ndimage.gaussian_filter(random.normal(size=(SIZE,) * 3), 2)
        first = ball(0.35, 0.3 + 0.1 * female + 0.02 * random.normal())
        second = ball(-0.35, 0.3 + 0.004 * (age - 50) + 0.02 * random.normal())
        volumes.append(ball(0, 0.95) * (0.7 - 0.6 * first - 0.6 * second + noise))
    return np.clip(volumes, 0, 1).astype(np.float16)


class Cohort:
    """Drawn people: the first train, the next validate, the rest are held out."""

    def __init__(self, train=32, validation=4, test=40, seed=1):
        random = np.random.default_rng(seed)
        count = train + validation + test
        names = [f"sub-{n:03d}" for n in range(count)]
        self.index = pd.DataFrame(
            {
                "dataset": "made", "subject": names, "session": None, "scan": names,
                "split": ["train"] * train + ["validation"] * validation + ["test"] * test,
                "sex": random.permutation(np.where(np.arange(count) % 2, "F", "M")),
                "age_years": random.uniform(20, 80, count).round(1),
            }
        )  # fmt: skip
        self.volumes = draw(self.index["sex"], self.index["age_years"])
        sets = {
            split: ScanSet(
                tuple("made/" + self.index["scan"][self.index["split"] == split]),
                self.volumes[self.index["split"] == split],
            )
            for split in ("train", "validation")
        }
        self.data = TrainingData(sets["train"], sets["validation"], 2.5)

    def labels(self, index=None):
        table, _ = training_labels(self.index if index is None else index, TASKS)
        return table[LABELS].values.tolist()

    def encode(self, settings, weights):
        model = build_autoencoder(settings.network, (SIZE,) * 3)
        model.load_state_dict(without_heads(weights))
        with torch.no_grad():
            return model.eval().encode(to_batch(self.volumes, CPU))[0].numpy()


def with_heads(family="s2d", weight=0.01, heads=True, **training):
    sizes = {"latent_size": 128} if family == "vector" else {}
    return AutoencoderSettings.model_validate(
        {
            "network": {"family": family, "channels": [8, 16], "residual_blocks": 1, **sizes},
            "loss": {"perceptual": {"network": "none"}, "adversarial_weight": 0},
            "augmentation": {"flip_probability": 0, "warp_mm": 0},
            "heads": {"tasks": ["sex", "age"], "weight": weight} if heads else None,
            "training": {
                "steps": 8, "epochs": 10000, "batch_size": 4, "checkpoint_minutes": 60, **training
            },
        }
    )  # fmt: skip


def run(settings, data, labels, folder, minutes=60.0, precision="float32"):
    resume = ResumeFolder(folder, "m", {"seed": 0}, minutes)
    heads = load_heads(settings, labels, data)
    return loop.train(settings, data, 0, resume, CPU, precision, heads=heads)
