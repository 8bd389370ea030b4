"""Runs the report's scripts on a results folder as Snakemake would."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from brainlapse.figures.captions import read_captions
from brainlapse.figures.settings import ReportSettings

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPTS = REPOSITORY / "workflow/scripts"
TASKS = [
    {"name": "diagnosis", "kind": "classification", "target": "diagnosis", "positive": "patient"},
    {"name": "age", "kind": "regression", "target": "age_years"},
]


class Outputs(dict):
    """Named outputs that are reached as items and as attributes, as Snakemake's are."""

    __getattr__ = dict.__getitem__


def run_script(name: str, **snakemake: dict) -> None:
    """Run one script; keyword arguments are the parts of its `snakemake` object."""
    parts = {
        key: value if isinstance(value, Outputs) else SimpleNamespace(**value)
        for key, value in snakemake.items()
    }
    job = SimpleNamespace(**parts, log=[], threads=1, scriptdir=str(SCRIPTS))
    runpy.run_path(str(SCRIPTS / f"{name}.py"), init_globals={"snakemake": job})


def build_report(
    root: Path, space: dict, models: list[str], tasks: list[dict], settings: dict | None = None
) -> Path:
    """Make all figures and the page of the run in `root`; return the page."""
    report = ReportSettings.model_validate(settings or {}).model_dump()
    figures = root / "report/figures"
    dpi = {"dots_per_inch": report["dots_per_inch"]}
    both = {"root": str(root), "settings": report}
    scans = str(root / "cohort/scans.tsv")
    run_script(
        "plot_cohort", input={"scans": scans}, output={"figure": figures / "cohort.png"}, params=dpi
    )
    run_script(
        "plot_quality",
        input={"visits": root / "preprocess/visits.tsv", "table": root / "preprocess/qc.tsv"},
        output={"figure": figures / "quality.png", "pictures": root / "report/quality"},
        params={**both, "space": space},
    )
    analysis = root / "analysis"
    run_script(
        "plot_norms",
        input={
            "curves": analysis / "norms.tsv",
            "scores": analysis / "norm_scores.tsv",
            "fits": analysis / "norm_fits.tsv",
        },
        output={"figure": figures / "norms.png"},
        params=dpi,
    )
    for model in models:
        plot_model(root, model, tasks, both, dpi)
    run_script(
        "plot_comparison",
        input={
            "scores": [root / f"autoencoder/{model}/reconstruction.tsv" for model in models],
            "errors": [root / f"autoencoder/{model}/volume_error.tsv" for model in models],
            "mean_image": [root / "baselines/mean_image.tsv"],
            "mean_image_errors": [root / "baselines/mean_image_volume_error.tsv"],
        },
        output={name: figures / f"{name[:-1]}_errors.png" for name in ("images", "volumes")},
        params={"models": models, **dpi},
    )
    compare_models(root, models, tasks)
    segmentation = {"backend": "native", "weights": ""}
    config = {"output": str(root), "tasks": tasks, "report": report, "segmentation": segmentation}
    captions = read_captions(REPOSITORY / "workflow/report")
    page = root / "report/index.html"
    references = page.with_name("references.bib")
    run_script(
        "write_report",
        output=Outputs(page=page, methods=page.with_name("methods.md"), references=references),
        params={"root": str(root), "models": models, "captions": captions, "config": config},
    )
    return page


def compare_models(root: Path, models: list[str], tasks: list[dict]) -> None:
    """Make the table of all models."""
    of_models = {
        "images": "autoencoder/{}/reconstruction.tsv",
        "volumes": "autoencoder/{}/volume_error.tsv",
        "separation": "analysis/{}/separation.tsv",
        "forecasts": "aging/{}/errors.tsv",
    }
    paths = {
        name: [root / path.format(model) for model in models] for name, path in of_models.items()
    }
    paths["tasks"] = [
        root / f"analysis/{model}/tasks/{task['name']}/predictions.tsv"
        for model in models
        for task in tasks
    ]
    paths["mean_image"] = [root / "baselines/mean_image.tsv"]
    paths["mean_image_volumes"] = [root / "baselines/mean_image_volume_error.tsv"]
    run_script(
        "compare_models",
        input={name: [p for p in found if p.exists()] for name, found in paths.items()},
        output={"table": root / "analysis/models.tsv"},
        params={"models": models, "tasks": tasks, "seed": 0},
    )


def plot_model(root: Path, model: str, tasks: list[dict], both: dict, dpi: dict) -> None:
    """Make the figures of one autoencoder."""
    figures = root / "report/figures" / model
    analysis, aging = root / "analysis" / model, root / "aging" / model
    scans = root / "cohort/scans.tsv"
    run_script(
        "plot_training",
        input={"history": root / f"autoencoder/{model}/history.tsv"},
        output={"figure": figures / "training.png"},
        params=dpi,
    )
    run_script(
        "plot_reconstructions",
        input={
            "scans": scans,
            "table": root / f"autoencoder/{model}/reconstruction.tsv",
        },
        output={"figure": figures / "reconstructions.png"},
        params=both,
    )
    run_script(
        "plot_latents",
        input={
            "scores": analysis / "pca.tsv",
            "variance": analysis / "pca_variance.tsv",
            "index": root / f"latents/{model}/index.tsv",
            "map": [],
        },
        output={"figure": figures / "latents.png"},
        params=dpi,
    )
    run_script(
        "plot_directions",
        input={
            "walks": analysis / "walks",
            "directions": analysis / "directions",
            "table": analysis / "directions.tsv",
            "variance": analysis / "pca_variance.tsv",
            "metrics": [analysis / f"tasks/{task['name']}/metrics.tsv" for task in tasks],
        },
        output={name: figures / f"{name}.png" for name in ("walks", "directions")},
        params={**both, "walk_sd": 2.0},
    )
    for task in tasks:
        run_script(
            "plot_task",
            input={"predictions": analysis / f"tasks/{task['name']}/predictions.tsv"},
            output={"figure": figures / f"task-{task['name']}.png"},
            params={"task": task, **dpi},
        )
    names = ("predictions", "errors", "matched")
    outputs = ("forecasts", "trajectories", "errors", "matched")
    run_script(
        "plot_forecasts",
        input={
            "scans": scans,
            "volumes": root / "volumes/volumes.tsv",
            "reconstructed": root / f"autoencoder/{model}/reconstruction.tsv",
            **{name: aging / f"{name}.tsv" for name in names},
        },
        output={name: figures / f"{name}.png" for name in outputs},
        params=both,
        wildcards={"model": model},
    )
    run_script(
        "plot_linearity",
        input={
            "interpolations": aging / "interpolations.tsv",
            "latents": root / f"latents/{model}/latents.npz",
            "curves": aging / "linearity_curves.tsv",
            "linearity": aging / "linearity.tsv",
        },
        output={name: figures / f"{name}.png" for name in ("interpolants", "linearity")},
        params=both,
    )
