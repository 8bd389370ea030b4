"""What reconstruction scores of autoencoders leave out: block edges, straight latents, cost.

    python -m benchmarks.families RESULTS [--models s2d kl] [--pairs 8]

RESULTS: output folder of a finished `snakemake encode` with several autoencoders. A row per model,
beside them the scans themselves and the mean training image; means over test scans, or over pairs
of them; one CPU thread. The columns:

blocks of f    Squared intensity steps between neighbouring voxels across the faces of blocks of
               f^3 voxels, over those elsewhere, in the brain mask: of reconstruction - scan / of
               the reconstruction. 1: no blocks. Detail that is missing steps as well: it pulls the
               first towards 1, and below where blocks miss more inside than at their faces.
re-encoded     Distance of a latent from that of its decoded image, over the distance of the
               pair's ends: midpoints / ends. Where midpoints come back as well as ends, the line
               between two brains stays where the encoder puts brains.
off the blend  Decoded midpoint of two latents against the voxel-wise mean of both reconstructions:
               mean absolute difference, over that of the ends. 0 is a linear decoder, which shows
               two brains at once, not one between them: low is not good as such.
REGION [%]     Volume of the decoded midpoint against the mean of both ends', absolute / difference
               of the ends, all three stripped alike; `pairs` counts those with all volumes. Lines
               in latent space forecast well where the first is small beside the second. The ends
               are two persons, further apart than two visits of one. The midpoint of the scans
               themselves is their voxel-wise mean.
encode/decode  Processor time per scan, in passes of one scan in float32 as scans are encoded
               on a CPU, and all tensors alive at once in a pass.
training       As in history.tsv, validation included, on whatever the machine was then; memory of
               the whole job.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brainlapse.images import load_volume, save_volume
from brainlapse.latents import INDEX_NAME
from brainlapse.networks.autoencoders import count_parameters
from brainlapse.networks.interface import Autoencoder
from brainlapse.networks.settings import S2D_STEM_FACTOR
from brainlapse.runtime import keep_memory, limit_threads, read_table
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.embedded.judge import JUDGED_REGIONS
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.training.encoding.passes import decode_latents, encode_volumes, load_model
from brainlapse.training.loop.memory import LiveTensors
from brainlapse.training.model.trained import network_of, read_card
from brainlapse.training.settings import EncodingSettings

CPU = torch.device("cpu")
ONE_SCAN = EncodingSettings(batch_size=1)
MIB = 2**20

Row = dict[str, tuple[float, ...]]
"""Column to its numbers, which stand in one cell."""


@dataclass(frozen=True)
class Scans:
    """Volumes, float32 0 to 1, and brain masks, both (N, D, H, W) in MNI space; their affine."""

    volumes: np.ndarray
    masks: np.ndarray
    affine: np.ndarray


def find_models(results: Path) -> list[str]:
    """Names of the models that have encoded."""
    return [path.parent.name for path in sorted((results / "latents").glob(f"*/{INDEX_NAME}"))]


def read_test_scans(results: Path, model: str) -> Scans:
    """Read the test scans that a model has encoded; SystemExit if there are fewer than two."""
    path = results / "latents" / model / INDEX_NAME
    index = read_table(path)
    tested = index["scan_path"][index["split"] == "test"]
    stems = [f"{results}/preprocess/{stem}_space-MNI_desc-brain" for stem in tested]
    if len(stems) < 2:
        raise SystemExit(f"{path}: expected at least 2 test scans, found {len(stems)}")
    masks = [load_volume(f"{stem}_mask.nii.gz")[0] > 0 for stem in stems]
    volumes, affines = zip(*(load_volume(f"{stem}_T1w.nii.gz") for stem in stems), strict=True)
    return Scans(np.stack(volumes), np.stack(masks), affines[0])


def pair_up(count: int, wanted: int) -> np.ndarray:
    """Pairs (P, 2) of neighbours in a ring of scans, first those without a scan in common."""
    firsts = [*range(0, count, 2), *range(1, count, 2)] if count > 2 else [0]
    return np.array([(first, (first + 1) % count) for first in firsts[:wanted]])


def block_ratio(image: np.ndarray, inside: np.ndarray, factor: int) -> float:
    """Mean squared step across the faces of blocks over that between other neighbours.

    Parameters
    ----------
    image, inside
        (D, H, W); steps count where both voxels are inside.
    factor
        Edge of the blocks [voxels], which begin at the first voxel.

    Returns
    -------
    float
        Infinite where all steps are at faces of blocks, NaN where there are none.
    """
    across, within = [], []
    for axis in range(3):
        lines, mask = np.moveaxis(image.astype(np.float64), axis, 0), np.moveaxis(inside, axis, 0)
        steps, counted = np.diff(lines, axis=0) ** 2, mask[1:] & mask[:-1]
        faces = np.arange(1, len(lines)) % factor == 0
        across.append(steps[faces][counted[faces]])
        within.append(steps[~faces][counted[~faces]])
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.concatenate(across).mean() / np.concatenate(within).mean())


def block_columns(images: np.ndarray, scans: Scans, factors: Iterable[int]) -> Row:
    """Block ratios of images (N, D, H, W) - scans, and of the images."""

    def ratio(parts: np.ndarray, factor: int) -> float:
        pairs = zip(parts, scans.masks, strict=True)
        return float(np.mean([block_ratio(part, inside, factor) for part, inside in pairs]))

    both = images - scans.volumes, images
    return {f"blocks of {f}": tuple(ratio(parts, f) for parts in both) for f in factors}


def off_blend(ends: np.ndarray, middles: np.ndarray, inside: np.ndarray) -> float:
    """Distance of midpoints from the blend of their ends, over that of the ends; mean over pairs.

    Parameters
    ----------
    ends, middles, inside
        (P, 2, D, H, W), (P, D, H, W), bool (P, D, H, W).
    """
    shares = [
        np.abs(middle - pair.mean(axis=0))[mask].mean() / np.abs(pair[0] - pair[1])[mask].mean()
        for pair, middle, mask in zip(ends, middles, inside, strict=True)
    ]
    return float(np.mean(shares))


def region_columns(
    ends: np.ndarray, middles: np.ndarray, inside: np.ndarray, affine: np.ndarray
) -> Row:
    """Regional volumes of midpoints beside those of their ends; parameters as in `off_blend`."""
    images = np.concatenate([ends, middles[:, None]], axis=1) * inside[:, None]  # (P, 3, D, H, W)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.nii.gz") for number in range(3 * len(images))]
        for path, image in zip(paths, images.reshape(-1, *images.shape[2:]), strict=True):
            save_volume(path, image, affine, dtype=np.float32)
        found = segment_scans(paths, SegmentationSettings(), threads=1)
    volumes_mm3 = [[one.volumes_mm3[region] for region in JUDGED_REGIONS] for one in found]
    volumes = np.array(volumes_mm3).reshape(len(images), 3, -1)
    volumes = volumes[np.isfinite(volumes).all(axis=(1, 2))]
    first, second, middle = volumes.swapaxes(0, 1)  # (pairs, regions) each
    mean = (first + second) / 2
    off, apart = (100 * np.abs(x / mean).mean(axis=0) for x in (middle - mean, first - second))
    columns = {f"{region} [%]": (off[n], apart[n]) for n, region in enumerate(JUDGED_REGIONS)}
    return {"pairs": (len(volumes),), **columns}


def encode(model: Autoencoder, volumes: np.ndarray) -> np.ndarray:
    """Latent means (N, C, d, h, w) of volumes (N, D, H, W)."""
    return np.stack([mean for mean, _ in encode_volumes(model, volumes, ONE_SCAN, CPU)])


def decode(model: Autoencoder, latents: np.ndarray) -> np.ndarray:
    """Volumes (N, D, H, W) of latents (N, C, d, h, w)."""
    return np.stack(list(decode_latents(model, latents, ONE_SCAN, CPU)))


def re_encoded(latents: np.ndarray, again: np.ndarray, pairs: np.ndarray) -> tuple[float, float]:
    """How far latents move when decoded and encoded again, over the distance of a pair's ends.

    Parameters
    ----------
    latents, again
        (N + P, C, d, h, w), before and after: of the scans, then of the midpoints of pairs (P, 2).

    Returns
    -------
    tuple
        Mean of the midpoints, and of the ends.
    """
    moved = np.linalg.norm((again - latents).reshape(len(latents), -1), axis=1)  # (N + P,)
    between = latents[pairs[:, 0]] - latents[pairs[:, 1]]
    apart = np.linalg.norm(between.reshape(len(pairs), -1), axis=1)  # (P,)
    middles, ends = moved[-len(pairs) :], moved[pairs].mean(axis=1)
    return float(np.mean(middles / apart)), float(np.mean(ends / apart))


def pair_columns(images: np.ndarray, middles: np.ndarray, scans: Scans, pairs: np.ndarray) -> Row:
    """Columns of midpoints (P, D, H, W) between images (N, D, H, W) of the scans."""
    ends, inside = images[pairs], scans.masks[pairs].any(axis=1)
    blend = {"off the blend": (off_blend(ends, middles, inside),)}
    return {**blend, **region_columns(ends, middles, inside, scans.affine)}


def training_columns(results: Path, name: str) -> Row:
    """Time of the training as its history has it, memory as Snakemake saw it; NaN if unknown."""
    last = read_table(results / "autoencoder" / name / "history.tsv").iloc[-1]
    seconds, steps = float(last["seconds"]), int(last["step"])
    seen = results / "benchmarks/train_autoencoder" / f"{name}.tsv"
    mib = float(read_table(seen)["max_rss"].iloc[-1]) if seen.is_file() else math.nan
    per_step = seconds / steps if steps else math.nan
    return {"training [s/step / s]": (per_step, seconds), "training [MiB]": (mib,)}


def measure_model(
    results: Path, name: str, scans: Scans, pairs: np.ndarray, factors: Iterable[int]
) -> Row:
    """Take all measures of one model."""
    model = load_model(results / "autoencoder" / name)
    with LiveTensors() as encoding:  # a first pass takes longer than the later ones
        first = encode(model, scans.volumes[:1])
    with LiveTensors() as decoding:
        decode(model, first)
    began = time.process_time()
    latents = encode(model, scans.volumes)
    encoded = time.process_time()
    images = decode(model, latents)
    seconds = np.array([encoded - began, time.process_time() - encoded]) / len(latents)
    halfway = latents[pairs].mean(axis=1)
    middles = decode(model, halfway)
    again = encode(model, np.concatenate([images, middles]))
    return {
        "f": (model.downsampling,),
        **block_columns(images, scans, factors),
        "re-encoded": re_encoded(np.concatenate([latents, halfway]), again, pairs),
        **pair_columns(images, middles, scans, pairs),
        "parameters [M]": (count_parameters(model) / 1e6,),
        "encode / decode [s]": tuple(seconds),
        "encode / decode [MiB]": (encoding.peak / MIB, decoding.peak / MIB),
        **training_columns(results, name),
    }


def measure(results: Path, models: list[str], wanted_pairs: int) -> Iterator[tuple[str, Row]]:
    """Yield names and rows: scans, mean training image where there is one, models."""
    scans = read_test_scans(results, models[0])
    pairs = pair_up(len(scans.volumes), wanted_pairs)
    cards = [read_card(results / "autoencoder" / name) for name in models]
    factors = sorted({S2D_STEM_FACTOR, *(network_of(card).downsampling for card in cards)} - {1})
    volumes = scans.volumes
    blends = pair_columns(volumes, volumes[pairs].mean(axis=1), scans, pairs)
    yield "scans", {**block_columns(volumes, scans, factors), **blends}
    mean_image = results / "baselines/mean_image.nii.gz"
    if mean_image.is_file():
        images = np.broadcast_to(load_volume(mean_image)[0], volumes.shape)
        yield "mean image", block_columns(images, scans, factors)
    for name in models:
        yield name, measure_model(results, name, scans, pairs, factors)


def show(rows: dict[str, Row]) -> None:
    """Print the table; what a row lacks stays empty."""
    columns = list(dict.fromkeys(column for row in reversed(rows.values()) for column in row))
    print(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, row in rows.items():
        cells = [" / ".join(f"{number:.3g}" for number in row.get(key, ())) for key in columns]
        print(f"| {name} | {' | '.join(cells).replace('nan', 'n/a')} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("--models", nargs="+", help="default: all that have encoded")
    parser.add_argument("--pairs", type=int, default=8, help="pairs of test scans, at most")
    wanted = parser.parse_args()
    limit_threads(1)
    keep_memory()
    models = wanted.models or find_models(wanted.results)
    if not models:
        raise SystemExit(f"{wanted.results}: expected trained models, found none; snakemake encode")
    rows: dict[str, Row] = {}
    for name, row in measure(wanted.results, models, wanted.pairs):
        print(name, row, file=sys.stderr, flush=True)  # minutes each
        rows[name] = row
    show(rows)


if __name__ == "__main__":
    main()
