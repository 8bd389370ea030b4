"""Train autoencoders at 1 mm on a GPU for some minutes each, and judge them on held-out scans.

    python -m benchmarks.one_millimetre pack RESULTS scans.npz     # where RESULTS was preprocessed
    python -m benchmarks.one_millimetre train scans.npz --families kl s2d --minutes 2

`pack` gathers the brains of a run of `snakemake preprocess` in 64 grey levels, about 1 MiB a scan,
to carry them to a machine with a GPU. `train` prints a row a family: what a step, an encoded and a
decoded scan cost, the peak memory, and the reconstructions of the test scans beside the mean
training scan. `--loss full` trains with the perceptual and adversarial terms from the start, `l1`
without both.
"""

import argparse
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from brainlapse.cohort.tables import read_scans, scan_path
from brainlapse.images import load_volume
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.interface import Autoencoder
from brainlapse.rejection import read_rejection
from brainlapse.training.data.scans import ScanSet, TrainingData
from brainlapse.training.encoding.metrics import reconstruction_metrics
from brainlapse.training.encoding.passes import decode_latents, encode_volumes
from brainlapse.training.loop.loop import train
from brainlapse.training.model.precision import resolve_precision
from brainlapse.training.resume.checkpoint import ResumeFolder
from brainlapse.training.settings import AutoencoderSettings, EncodingSettings

BRAIN = "_space-MNI_desc-brain_T1w.nii.gz"
LEVELS = 64
LOSSES = {
    "l1": {"perceptual": {"network": "none"}, "adversarial_weight": 0},
    "full": {"adversarial_start_epoch": 0},
}


@dataclass(frozen=True)
class Cohort:
    """Scans (N, D, H, W) uint8 with their names and splits."""

    volumes: np.ndarray
    names: np.ndarray
    splits: np.ndarray
    voxel_mm: float

    def of(self, split: str) -> ScanSet:
        """Return the scans of a split as training reads them."""
        rows = self.splits == split
        return ScanSet(tuple(self.names[rows]), as_brains(self.volumes[rows]))


def as_brains(volumes: np.ndarray) -> np.ndarray:
    """Values 0 to 1, float16."""
    return (volumes.astype(np.float32) / LEVELS).astype(np.float16)


def pack(results: Path, target: Path, most: int | None) -> None:
    """Gather the brains of a run; test subjects are those of its split."""
    volumes, rows, spacing = [], [], 0.0
    table = read_scans(results / "cohort/scans.tsv")[:most]
    for scan in table.itertuples():
        place = scan_path(scan.dataset, scan.subject, scan.session)
        path = results / f"preprocess/{place}{BRAIN}"
        if not path.is_file() or read_rejection(path):
            continue
        volume, affine = load_volume(path)
        spacing = float(np.linalg.norm(affine[:3, 0]))
        volumes.append(np.rint(volume * LEVELS).clip(0, LEVELS).astype(np.uint8))
        rows.append((Path(place).name, scan.split))
    names, splits = zip(*rows, strict=True)
    stored = {"volumes": np.stack(volumes), "names": names, "splits": splits, "voxel_mm": spacing}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for name, values in stored.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(values))
    print(f"{len(volumes)} scans, {target.stat().st_size / 2**20:.1f} MiB")


def unpack(path: Path) -> Cohort:
    """Read what `pack` wrote."""
    with np.load(path) as stored:
        return Cohort(
            stored["volumes"], stored["names"], stored["splits"], float(stored["voxel_mm"])
        )


def settings_of(family: str, wanted: argparse.Namespace) -> AutoencoderSettings:
    """Return the family at its default widths, for the minutes asked for."""
    training = {
        "batch_size": wanted.batch,
        "learning_rate": wanted.rate,
        "max_minutes": wanted.minutes,
        "epochs": 100_000,
        "validate_every": 10,
        "compile": wanted.compile,
        "checkpoint_minutes": 1000,
    }
    return AutoencoderSettings.model_validate(
        {"network": {"family": family}, "loss": LOSSES[wanted.loss], "training": training}
    )


def timed(items: Iterable, count: int) -> tuple[list, float]:
    """Work through items; seconds of each after the first, which warms up."""
    made, clock = [], 0.0
    for number, item in enumerate(items):
        made.append(item)
        if number == 0:
            clock = time.perf_counter()
    return made, (time.perf_counter() - clock) / max(1, count - 1)


def reconstruct(
    model: Autoencoder, volumes: np.ndarray, device: torch.device
) -> tuple[list[np.ndarray], float, float]:
    """Reconstructions, and seconds per encoded and per decoded scan, one scan a pass."""
    passes = EncodingSettings(batch_size=1)
    scans = (volume.astype(np.float32) for volume in volumes)
    codes, encoding = timed(encode_volumes(model, scans, passes, device), len(volumes))
    means = np.stack([mean for mean, _ in codes])
    made, decoding = timed(decode_latents(model, means, passes, device), len(volumes))
    return made, encoding, decoding


def judge(pair: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Metrics of a reconstruction inside the brain."""
    made, scan = (volume.astype(np.float32) for volume in pair)
    return reconstruction_metrics(made, scan, scan > 0)


def judged(made: Iterable[np.ndarray], scans: np.ndarray) -> dict[str, float]:
    """Mean metrics over scans."""
    with ProcessPoolExecutor(8) as pool:
        table = pd.DataFrame(list(pool.map(judge, zip(made, scans, strict=True))))
    return table[["ssim", "psnr_db", "mae"]].mean().to_dict()


def rows(wanted: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Train and judge one family after the other; the mean scan comes first."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cohort = unpack(wanted.scans)
    data = TrainingData(cohort.of("train"), cohort.of("validation"), cohort.voxel_mm)
    test = cohort.of("test")
    mean = data.train.volumes.astype(np.float32).mean(axis=0)
    yield {"model": "mean scan", **judged([mean] * len(test.names), test.volumes)}
    for family in wanted.families:
        settings = settings_of(family, wanted)
        precision = resolve_precision("auto", device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as folder:
            resume = ResumeFolder(folder, family, {}, 1000)
            state = train(settings, data, wanted.seed, resume, device, precision)
        peak = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else float("nan")
        model = build_autoencoder(settings.network, data.grid.shape)
        assert state.best is not None
        model.load_state_dict(state.best.weights)
        steps, seconds, last = state.step, state.seconds, state.history[-1]
        del state
        made, encoding, decoding = reconstruct(model, test.volumes, device)
        yield {
            "model": family,
            **judged(made, test.volumes),
            "steps": steps,
            "s/step": seconds / steps,
            "peak GiB": peak,
            "validation l1": last.get("validation_l1"),
            "encode s": encoding,
            "decode s": decoding,
            "precision": precision,
        }


def main() -> None:
    """Pack or train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("results", type=Path)
    packing.add_argument("scans", type=Path)
    packing.add_argument("--most", type=int, help="scans to gather; left out: all")
    training = commands.add_parser("train")
    training.add_argument("scans", type=Path)
    training.add_argument("--families", nargs="+", default=["kl", "s2d"])
    training.add_argument("--minutes", type=float, default=2.0)
    training.add_argument("--batch", type=int, default=2)
    training.add_argument("--rate", type=float, default=1e-3)
    training.add_argument("--loss", choices=LOSSES, default="l1")
    training.add_argument("--compile", action="store_true")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--out", type=Path, help="write the table as tab-separated values")
    wanted = parser.parse_args()
    if wanted.command == "pack":
        pack(wanted.results, wanted.scans, wanted.most)
        return
    table = pd.DataFrame()
    for row in rows(wanted):
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        if wanted.out:
            table.to_csv(wanted.out, sep="\t", index=False, float_format="%.5g")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


if __name__ == "__main__":
    main()
