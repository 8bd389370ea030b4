"""A second judge of volumes: a small network trained on real heads with labels of another program.

    python -m benchmarks.second_judge train RESULTS DATASET LABELS judge.pt
    python -m benchmarks.second_judge measure RESULTS judge.pt

RESULTS of `train` is the output folder of a run with the data set, LABELS the folder with a label
map per head (``*_dseg.nii.gz``) and ``label_groups.json``; every fifth head is set aside, and
volumes of these are printed against the labels. It never sees a synthesised image, nor a label of
the embedded segmenter. `measure` holds reconstructions and forecasts of a run on the same grid
against the real scans by both judges: median absolute error, per model, and its correlation.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from brainlapse.cohort.tables import SCAN, scan_path
from brainlapse.images import load_volume, resample_to_grid
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.preprocessing.resampling import FWHM_PER_SIGMA
from brainlapse.runtime import progress, read_json, read_table
from brainlapse.space import Grid

REGIONS = ("hippocampus", "ventricles", "grey_matter", "white_matter")
ASIDE = 5  # every fifth head
STEPS = 300
LEARNING_RATE = 2e-3


class Judge(nn.Module):
    """A U-Net of three levels: brain (N, 1, X, Y, Z) to logits of five classes."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        inputs = [1, *widths[:-1]]
        self.down = nn.ModuleList(map(self._pair, inputs, widths))
        self.up = nn.ModuleList(
            self._pair(widths[level] + widths[level + 1], widths[level]) for level in (1, 0)
        )
        self.head = nn.Conv3d(width, 1 + len(REGIONS), 1)

    @staticmethod
    def _pair(inputs: int, outputs: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [
                nn.Conv3d(channels, outputs, 3, padding=1, bias=False),
                nn.GroupNorm(4, outputs),
                nn.ReLU(),
            ]
        return nn.Sequential(*layers)

    def forward(self, brain: Tensor) -> Tensor:
        """Logits of nothing, then of REGIONS."""
        levels = []
        for number, block in enumerate(self.down):
            brain = block(functional.max_pool3d(brain, 2) if number else brain)
            levels.append(brain)
        for block, skipped in zip(self.up, reversed(levels[:-1]), strict=True):
            larger = functional.interpolate(brain, scale_factor=2, mode="nearest")
            brain = block(torch.cat([larger, skipped], dim=1))
        return self.head(brain)

    @torch.no_grad()
    def volumes(self, brain: np.ndarray) -> np.ndarray:
        """Voxels of each of REGIONS, float (4,)."""
        logits = self(torch.from_numpy(brain.astype(np.float32))[None, None])
        return logits.softmax(dim=1)[0, 1:].sum(dim=(1, 2, 3)).double().numpy()


def soft_labels(path: Path, to_raw: np.ndarray, grid: Grid, groups: dict) -> np.ndarray:
    """Share of each of REGIONS in each voxel of the grid, (4, X, Y, Z)."""
    labels, affine = load_volume(path)
    voxel_mm = np.cbrt(grid.voxel_volume_mm3)
    width = voxel_mm / np.cbrt(abs(np.linalg.det(affine[:3, :3]))) / FWHM_PER_SIGMA
    parts = []
    for region in REGIONS:
        ids = set(groups[region])
        if region == "grey_matter":
            ids -= set(groups["hippocampus"])
        inside = ndimage.gaussian_filter(np.isin(labels, list(ids)).astype(np.float32), width)
        parts.append(resample_to_grid(inside, affine, grid, to_raw))
    return np.stack(parts)


def read_heads(results: Path, dataset: str, folder: Path) -> tuple[Tensor, Tensor]:
    """Brains (N, X, Y, Z) and soft labels (N, 5, X, Y, Z) of the data set's accepted scans."""
    groups = read_json(folder / "label_groups.json")
    brains, labels = [], []
    paths = sorted(results.glob(f"preprocess/{dataset}/**/*_space-MNI_desc-brain_T1w.nii.gz"))
    for path in progress(paths, "heads", len(paths)):
        subject = path.relative_to(results / "preprocess" / dataset).parts[0]
        truth = next(folder.glob(f"{subject}/**/*_dseg.nii.gz"))
        brain, affine = load_volume(path)
        grid = Grid(brain.shape, affine)
        stem = str(path).removesuffix("_space-MNI_desc-brain_T1w.nii.gz")
        transform = read_world_transform(f"{stem}_from-T1w_to-MNI_level-affine_xfm.mat")
        regions = soft_labels(truth, transform, grid, groups)
        rest = np.clip(1 - regions.sum(axis=0, keepdims=True), 0, 1)
        brains.append(torch.from_numpy(brain.astype(np.float32)))
        labels.append(torch.from_numpy(np.concatenate([rest, regions]).astype(np.float32)))
    return torch.stack(brains), torch.stack(labels)


def alter(brain: Tensor, random: np.random.Generator) -> Tensor:
    """Change contrast, add noise or blur, so that decoded scans are nothing new."""
    values = brain.clamp(0, 1) ** float(np.exp(random.normal(0, 0.15)))
    if random.uniform() < 0.5:
        blurred = ndimage.gaussian_filter(values.numpy(), random.uniform(0.2, 0.7))
        values = torch.from_numpy(blurred)
    noise = torch.from_numpy(random.normal(0, random.uniform(0, 0.03), brain.shape)).float()
    return (values + noise * (brain > 0)).clamp(0, 1)


def train(brains: Tensor, labels: Tensor) -> Judge:
    """Fit with cross-entropy and soft Dice."""
    torch.manual_seed(0)
    random, judge = np.random.default_rng(0), Judge()
    optimiser = torch.optim.AdamW(judge.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, STEPS)
    for _ in progress(range(STEPS), "judge", STEPS):
        number = int(random.integers(len(brains)))
        brain, truth = alter(brains[number], random), labels[number]
        if random.uniform() < 0.5:
            brain, truth = brain.flip(0), truth.flip(1)
        logits = judge(brain[None, None])
        shares = logits.softmax(dim=1)[0]
        entropy = -(truth * logits.log_softmax(dim=1)[0]).sum(dim=0).mean()
        overlap = 2 * (shares * truth).sum(dim=(1, 2, 3)) + 1
        dice = 1 - (overlap / ((shares + truth).sum(dim=(1, 2, 3)) + 1)).mean()
        optimiser.zero_grad()
        (entropy + dice).backward()
        optimiser.step()
        schedule.step()
    return judge


def print_agreement(judge: Judge, brains: Tensor, labels: Tensor) -> None:
    """Volumes of heads set aside against their labels."""
    found = np.stack([judge.volumes(brain.numpy()) for brain in brains])
    truth = labels[:, 1:].sum(dim=(2, 3, 4)).numpy()
    for number, region in enumerate(REGIONS):
        ratio = found[:, number] / truth[:, number]
        r = np.corrcoef(found[:, number], truth[:, number])[0, 1]
        print(
            f"{region}: {len(brains)} set aside, r {r:.3f}, ratio {ratio.mean():.2f} "
            f"+- {ratio.std():.2f}"
        )


def second_errors(results: Path, judge: Judge, table: pd.DataFrame) -> pd.DataFrame:
    """Error [%] of the region in the image of each row against the real scan, by the judge."""
    real: dict[str, np.ndarray] = {}
    rows = []
    files = table.drop_duplicates("file")
    for row in progress(files.to_dict("records"), "images", len(files)):
        place = scan_path(row["dataset"], row["subject"], row["session"])
        name = f"{place}_space-MNI_desc-brain_T1w.nii.gz"
        if name not in real:
            real[name] = judge.volumes(load_volume(results / "preprocess" / name)[0])
        found = judge.volumes(load_volume(results / row["file"])[0])
        error = 100 * (found / real[name] - 1)
        for region, value in zip(REGIONS, error, strict=True):
            rows.append({"file": row["file"], "region": region, "second": value})
    return pd.DataFrame(rows)


def measure(results: Path, judge: Judge) -> None:
    """Print a row per model, what is judged and region."""
    for folder in sorted(results.glob("autoencoder/*/volume_error.tsv")):
        model = folder.parent.name
        images = read_table(results / f"autoencoder/{model}/reconstruction.tsv")
        given = read_table(folder).rename(columns={"error_pct": "first"})
        kinds = {"reconstruction": images.merge(given[[*SCAN, "region", "first"]], on=SCAN)}
        forecasts = results / f"aging/{model}/errors.tsv"
        if forecasts.exists():
            planned = read_table(results / f"aging/{model}/predictions.tsv")
            keys = [*SCAN, "method", "n_scans_seen"]
            errors = read_table(forecasts)
            errors["first"] = 100 * (errors["predicted_mm3"] / errors["observed_mm3"] - 1)
            both = planned.merge(errors[[*keys, "region", "first"]], on=keys)
            kinds |= {str(method): rows for method, rows in both.groupby("method")}
        for kind, table in kinds.items():
            both = table.merge(second_errors(results, judge, table), on=["file", "region"])
            for region, rows in both.dropna(subset=["first", "second"]).groupby("region"):
                size = rows[["first", "second"]].abs().median()
                print(
                    f"{model}\t{kind}\t{region}\t{len(rows)} images\tfirst {size['first']:.2f} %\t"
                    f"second {size['second']:.2f} %\tr {rows['first'].corr(rows['second']):.2f}"
                )


def main() -> None:
    """Train the judge, or let it judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    training = steps.add_parser("train")
    for name in ("results", "dataset", "labels", "judge"):
        training.add_argument(name)
    judging = steps.add_parser("measure")
    for name in ("results", "judge"):
        judging.add_argument(name)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    if arguments.step == "train":
        folder, labels = Path(arguments.results), Path(arguments.labels)
        brains, truths = read_heads(folder, arguments.dataset, labels)
        aside = np.arange(len(brains)) % ASIDE == 0
        judge = train(brains[~aside], truths[~aside])
        print_agreement(judge.eval(), brains[aside], truths[aside])
        torch.save(judge.state_dict(), arguments.judge)
        return
    judge = Judge()
    judge.load_state_dict(torch.load(arguments.judge, weights_only=True))
    measure(Path(arguments.results), judge.eval())


if __name__ == "__main__":
    main()
