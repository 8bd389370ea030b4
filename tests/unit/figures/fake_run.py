"""A results folder with made-up tables and images, as small as the figures allow."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.linearity import summarise_linearity
from brainlapse.analysis.reconstructions import summarise_reconstructions
from brainlapse.cohort.tables import scan_path
from brainlapse.images import save_volume
from brainlapse.latents import reconstructed_file, write_latents
from brainlapse.preprocessing.quality.doubles import DOUBLE_COLUMNS
from brainlapse.runtime import write_table
from brainlapse.space import Grid, SpaceSettings, mni_grid
from tests.unit.figures.fake_ageing import (
    REGIONS,
    fake_curves,
    fake_errors,
    fake_forecasts,
    fake_image_summary,
    fake_interpolations,
    fake_linearity,
    fake_matched,
    fake_norms,
    fake_volumes,
)

SPLITS = ["train", "train", "validation", "test", "test", "test"]


def fake_scans(subjects: int = 12, visits: int = 3, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for number in range(subjects):
        start = random.uniform(50, 80)
        for visit in range(visits):
            session = f"ses-{visit + 1}"
            rows.append(
                {
                    "dataset": "demo" if number % 4 else "clinic",
                    "subject": f"sub-{number:02d}",
                    "session": session,
                    "scan": f"sub-{number:02d}_{session}",
                    "path": f"/data/sub-{number:02d}_{session}_T1w.nii.gz",
                    "age_years": start + 1.5 * visit,
                    "sex": "FM"[number % 2],
                    "diagnosis": ["control", "patient"][number % 3 == 0],
                    "role": "fit",
                    "split": SPLITS[number % len(SPLITS)],
                    "sha256": "0" * 64,
                    "note": None,
                }
            )
    scans = pd.DataFrame(rows)
    scans.loc[1, ["age_years", "note"]] = [np.nan, "Age 999 is impossible: left out of ageing."]
    return scans


def fake_quality(scans: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = scans[["dataset", "subject", "session", "scan"]].assign(status="accepted", reasons=None)
    table.loc[2, ["status", "reasons"]] = ["flagged", "mask_dice 0.81 is below 0.85"]
    table.loc[4, ["status", "reasons"]] = ["rejected", "affine_determinant 3.1 is above 2.5"]
    for name, mean, spread in (
        ("mask_volume_ml", 1450, 120),
        ("mask_dice", 0.95, 0.01),
        ("template_correlation", 0.9, 0.02),
        ("affine_determinant", 1.3, 0.1),
        ("signal_to_noise", 18, 3),
    ):
        table[name] = random.normal(mean, spread, len(table))
    return table


def fake_visits(scans: pd.DataFrame) -> pd.DataFrame:
    """Each later visit beside the person's first."""
    first = scans.groupby(["dataset", "subject"])["scan"].transform("first")
    later = scans[scans["scan"] != first]
    names = later[["dataset", "subject", "session", "scan"]]
    table = names.assign(compared_with=first[later.index], joined=True, findings=None)
    numbers = {"moved_mm": 3.0 + np.arange(len(table)), "correlation": 0.98}
    return table.assign(**numbers).reset_index(drop=True)


def fake_history(epochs: int = 40) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    fall = np.exp(-epoch / 10)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "step": epoch * 20,
            "seconds": epoch * 11.5,
            "lr": 1e-3 * fall,
            "train_total": 0.02 + 0.3 * fall,
            "validation_total": 0.025 + 0.31 * fall,
            "train_l1": 0.01 + 0.2 * fall,
            "validation_l1": 0.012 + 0.2 * fall,
            "train_kl": 900 * (1 - fall),
            "train_adversarial": [np.nan] * (epochs // 2) + [0.7] * (epochs - epochs // 2),
            "validation_psnr_db": 28 - 10 * fall,
        }
    )


def reconstructed(row: dict, model: str) -> str:
    stem = scan_path(row["dataset"], row["subject"], row["session"])
    start = f"latents/{model}/reconstructions/{row['dataset']}/block-0"
    return f"{start}/{reconstructed_file(stem)}"


def fake_reconstruction(scans: pd.DataFrame, seed: int = 2, model: str = "sdae") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    ssim = random.uniform(0.7, 0.9, len(scans))
    return scans[["dataset", "subject", "scan", "split"]].assign(
        ssim=ssim,
        psnr_db=20 + 10 * ssim,
        mae=0.1 - 0.1 * ssim,
        mse=0.01 * (1 - ssim),
        ssim_whole=0.5 + ssim / 2,
        file=[reconstructed(row, model) for row in scans.to_dict("records")],
    )


def fake_volume_errors(scans: pd.DataFrame, spread_pct: float, seed: int = 8) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    table = scans[["dataset", "subject", "scan", "split"]].merge(
        pd.DataFrame({"region": list(REGIONS)}), how="cross"
    )
    error_pct = random.normal(2, spread_pct, len(table))
    return table.assign(error_pct=error_pct, abs_error_pct=np.abs(error_pct))


def fake_tasks(scans: pd.DataFrame, seed: int = 3) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    random = np.random.default_rng(seed)
    base = scans[["dataset", "subject", "session", "scan", "split"]].assign(fold=0)
    score = (scans["diagnosis"] == "patient") * 0.3 + random.uniform(0, 0.7, len(scans))
    groups = base.assign(
        true=scans["diagnosis"],
        predicted=np.where(score > 0.5, "patient", "control"),
        score=score,
    )
    ages = base.assign(
        true=scans["age_years"],
        predicted=scans["age_years"] * 0.7 + 20 + random.normal(0, 4, len(scans)),
        score=np.nan,
    )

    def metrics(task: str, rows: list[tuple]) -> pd.DataFrame:
        names = ["metric", "value", "baseline", "ci_low", "ci_high"]
        return pd.DataFrame(rows, columns=names).assign(
            task=task, autoencoder_split="test", n_scans=36
        )

    return {
        "diagnosis": (groups, metrics("diagnosis", [("roc_auc", 0.81, 0.5, 0.66, 0.93)])),
        "age": (ages, metrics("age", [("mae", 4.2, 7.9, 3.1, 5.5), ("r2", 0.5, 0, 0.2, 0.7)])),
    }


def fake_pca(scans: pd.DataFrame, seed: int = 7) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    shift = (scans["diagnosis"] == "patient") * 2.0
    return scans.assign(
        pc1=shift + random.normal(0, 1, len(scans)), pc2=random.normal(0, 1, len(scans))
    )


def fake_separation() -> pd.DataFrame:
    """The data set stands as far apart as the diagnosis among people held out."""
    rows = [
        ("dataset", "train", 0.02, 0.4, 50, 2, None),
        ("dataset", "held_out", 0.31, 0.001, 24, 2, None),
        ("diagnosis", "train", 0.28, 0.001, 50, 2, None),
        ("diagnosis", "held_out", 0.25, 0.002, 24, 2, None),
        ("site", "held_out", np.nan, np.nan, 0, 0, "nobody has one value of site"),
    ]
    names = ["column", "split", "silhouette", "p_value", "people", "groups", "note"]
    return pd.DataFrame(rows, columns=names)


def fake_anomaly(scans: pd.DataFrame) -> pd.DataFrame:
    """The hippocampus of one patient is given back badly."""
    table = scans[["dataset", "subject", "session", "scan", "split", "diagnosis"]].assign(
        region="hippocampus", mae=0.05, z_train=0.5, z_validation=np.nan
    )
    table.loc[0, ["mae", "z_train"]] = [0.31, 5.43]
    return table


def fake_doubles() -> pd.DataFrame:
    """Two people of two data sets look alike."""
    pair = ("demo", "sub-01", "sub-01_ses-1", "clinic", "sub-09", "sub-09_ses-1", 0.91)
    return pd.DataFrame([pair], columns=DOUBLE_COLUMNS)


def fake_error_maps(scans: pd.DataFrame) -> pd.DataFrame:
    """A patient's map has more high voxels than the others'."""
    table = scans[["dataset", "subject", "session", "scan", "split"]].assign(
        norm_split="validation", people=12, voxels=1000, share_above_3=0.001, peak_z=3.2
    )
    places = {f"peak_{axis}_mm": 10.0 for axis in "xyz"}
    table.loc[0, "share_above_3"] = 0.0871
    return table.assign(**places, file="map.nii.gz")


def fake_audit() -> pd.DataFrame:
    """Diagnosis and data set can't be told apart, in the cohort and in the task."""
    words = "diagnosis can't be told from dataset: it may as well be the dataset's"
    rows = [
        (None, "dataset", "diagnosis", 0.97, 0.001, "confounded", words),
        (None, "dataset", "age_years", 0.02, 0.3, "apart", None),
        (None, "site", None, np.nan, np.nan, "unknown", "no table names a site"),
        ("diagnosis", "dataset", "diagnosis", 0.97, 0.001, "confounded", words),
    ]
    names = ["task", "factor", "against", "association", "p_value", "verdict", "finding"]
    return pd.DataFrame(rows, columns=names)


def fake_steps() -> pd.DataFrame:
    """One estimate and one refusal."""
    rows = [
        ("scanner", "within people", "ventricles", "a/new", "a/old", 4.9, 4.1, 5.8, None),
        ("dataset", "between people", *[None] * 3, *[np.nan] * 3, "refused: of other ages"),
    ]
    names = ["factor", "compared", "region", "place", "reference"]
    return pd.DataFrame(rows, columns=[*names, "step_pct", "step_low_pct", "step_high_pct", "note"])


def write_tables(root: Path, model: str = "sdae") -> pd.DataFrame:
    """Write every table of a run under `root` and return the scans."""
    scans = fake_scans()
    forecasts = fake_forecasts(scans)
    rejected = {
        "path": "/data/<script>alert('path')</script>.nii.gz",
        "reason": "Expected a complete gzip file, found one cut short; copy it again.",
        "stage": "cohort",
        "dataset": "demo",
        "subject": "sub-99",
        "session": "ses-1",
        "scan": "sub-99_ses-1",
    }
    scores, mean_image = fake_reconstruction(scans, model=model), fake_reconstruction(scans, 9)
    late = {**rejected, "path": "/data/late.nii.gz", "stage": "mask_brain"}
    tables = {
        "cohort/scans": scans,
        "cohort/rejected": pd.DataFrame([rejected]),
        "cohort/alternatives": pd.DataFrame([{**rejected, "reason": "run-1 is taken"}]),
        "preprocess/qc": fake_quality(scans),
        "preprocess/visits": fake_visits(scans),
        "preprocess/rejected": pd.DataFrame([late]),
        f"autoencoder/{model}/history": fake_history(),
        f"autoencoder/{model}/reconstruction": scores,
        f"autoencoder/{model}/reconstruction_summary": summarise_reconstructions(
            scores, scans, mean_image
        ),
        f"autoencoder/{model}/volume_error": fake_volume_errors(scans, 3),
        "baselines/mean_image": mean_image,
        "baselines/mean_image_volume_error": fake_volume_errors(scans, 12),
        f"analysis/{model}/pca": fake_pca(scans),
        f"analysis/{model}/pca_variance": pd.DataFrame(
            {"component": range(1, 11), "explained_variance_ratio": 0.3 * 0.7 ** np.arange(10)}
        ),
        **fake_norms(),
        "preprocess/doubles": fake_doubles(),
        f"analysis/{model}/anomaly": fake_anomaly(scans),
        f"analysis/{model}/error_maps": fake_error_maps(scans),
        "cohort/site_audit": fake_audit(),
        "volumes/site_steps": fake_steps(),
        f"analysis/{model}/separation": fake_separation(),
        f"aging/{model}/predictions": forecasts,
        f"aging/{model}/errors": fake_errors(forecasts),
        f"aging/{model}/matched": fake_matched(),
        f"aging/{model}/comparisons": pd.DataFrame({"split": ["test"], "method": ["bayes"]}),
        f"aging/{model}/coverage": pd.DataFrame({"split": ["test"], "level": [0.8]}),
        f"aging/{model}/choice": pd.DataFrame(
            {"region": ["ventricles"], "n_scans_seen": [1], "method": ["volume_bayes"]}
        ),
        f"aging/{model}/image_summary": fake_image_summary(),
        f"aging/{model}/summary": pd.DataFrame({"method": ["copy_last"], "n": [3]}),
        f"aging/{model}/linearity": fake_linearity(scans),
        f"aging/{model}/linearity_curves": fake_curves(fake_linearity(scans)),
        f"aging/{model}/linearity_summary": summarise_linearity(
            fake_linearity(scans).assign(slope_ratio=1.0, bias_pct=2.0, straight_r2=1.0)
        ),
        f"aging/{model}/interpolations": fake_interpolations(scans),
        "volumes/volumes": fake_volumes(scans, forecasts),
    }
    log = root / f"logs/train_autoencoder/{model}.log"
    log.parent.mkdir(parents=True)
    log.write_text("12:00:00 cost: 461.0 s, 800.0 CPU s, 3200 MB on node-1\n")
    for task, (predictions, metrics) in fake_tasks(scans).items():
        tables[f"analysis/{model}/tasks/{task}/predictions"] = predictions
        tables[f"analysis/{model}/tasks/{task}/metrics"] = metrics
    for name, table in tables.items():
        write_table(root / f"{name}.tsv", table)
    latents = np.random.default_rng(9).normal(size=(len(scans), 2, 3, 4, 3))
    folder = root / f"latents/{model}"
    write_latents(
        folder / "latents.npz", folder / "index.tsv", latents, latents, scans.assign(flagged=False)
    )
    return scans


def write_directions(root: Path, grid: Grid, brain: np.ndarray, model: str = "sdae") -> None:
    """Write walks along two components, and the map of one of two tasks."""
    folder = root / f"analysis/{model}"
    for name, factor in {"mean": 0.8, "pc1_low": 0.7, "pc1_high": 0.9}.items():
        save_volume(folder / f"walks/{name}.nii.gz", factor * brain, grid.affine)
    save_volume(folder / "directions/diagnosis.nii.gz", brain - 0.5, grid.affine)
    rows = [
        ("diagnosis", "logistic", "patient", 36, 12, f"{folder}/directions/diagnosis.nii.gz", None),
        ("age", None, None, 0, 0, None, "left out: no linear estimator, only svr"),
    ]
    names = ["task", "estimator", "toward", "n_scans", "n_subjects", "file", "note"]
    write_table(folder / "directions.tsv", pd.DataFrame(rows, columns=names))


def small_grid() -> Grid:
    return mni_grid(SpaceSettings(voxel_mm=6.0, shape=(28, 34, 28)))


def ball(grid: Grid, radius_share: float = 0.4) -> np.ndarray:
    """A bright ball in the middle of the grid, float32 of the grid's shape."""
    axes = [np.linspace(-1, 1, size) for size in grid.shape]
    distance = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    return np.clip(2 * radius_share - distance, 0, 1).astype(np.float32)


def write_images(
    root: Path,
    scans: pd.DataFrame,
    brain: np.ndarray | None = None,
    grid: Grid | None = None,
    model: str = "sdae",
) -> None:
    """Write the images that go with `write_tables`."""
    grid = grid or small_grid()
    brain = ball(grid) if brain is None else brain
    mask = (brain > 0).astype(np.uint8)
    for row in scans.to_dict("records"):
        stem = scan_path(row["dataset"], row["subject"], row["session"])
        start = f"{root}/preprocess/{stem}"
        save_volume(f"{start}_space-MNI_desc-brain_T1w.nii.gz", brain, grid.affine)
        save_volume(f"{start}_space-MNI_desc-brain_mask.nii.gz", mask, grid.affine)
        save_volume(f"{start}_desc-n4_T1w.nii.gz", brain * 700, grid.affine)
        save_volume(f"{start}_space-T1w_desc-brain_mask.nii.gz", mask, grid.affine)
        save_volume(root / reconstructed(row, model), brain * 0.95, grid.affine)
    write_directions(root, grid, brain, model)
    decoded = [*fake_forecasts(scans)["file"], *fake_interpolations(scans)["file"]]
    for file in decoded:
        save_volume(root / file, brain * 0.9, grid.affine)
