"""The methods of a run as text for a paper, with the references that it cites.

Every sentence is made from the configuration and the tables of the run. Citations are written as
``[@key]``; ``references.bib`` holds the entries of exactly those keys.
"""

import re
from pathlib import Path
from typing import Any

from brainlapse.figures import tables
from brainlapse.figures.page.sections import Run

BIBLIOGRAPHY = Path(__file__).with_name("references.bib")
MASKS = {
    "stripped": "an earlier stripping",
    "deepbet": "deepbet [@deepbet]",
    "deepbet-upright": "deepbet [@deepbet] on the head laid upright",
    "deepbet-flattened": "deepbet [@deepbet] on the head without its coil profile",
    "synthstrip": "SynthStrip [@synthstrip]",
    "template": "the template's mask, moved onto the head",
    "taken": "another tool",
}
METRICS = {
    "squares": "robust least squares with Gauss-Newton steps [@reuter2010]",
    "correlation": "ANTs with correlation as metric [@ants]",
    "mutual_information": "ANTs with mutual information as metric [@ants]",
}
FAMILIES = {
    "s2d": "a convolutional autoencoder on blocks of voxels",
    "kl": "MONAI's AutoencoderKL [@monai; @rombach2022]",
    "vector": "a variational autoencoder with one latent vector per scan, after [@male]",
    "pca": "mean image and principal components of the training scans",
}


def text(run: Run, config: dict[str, Any], versions: dict[str, str]) -> str:
    """Return the methods as Markdown paragraphs."""
    parts = [
        _cohort(run),
        _preprocessing(run, config),
        *(_autoencoder(run, name, config) for name in run.models),
        _volumes(run, config),
        _norms(run),
        _ageing(config),
        _tasks(run, config),
        _software(versions),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def references(methods: str) -> str:
    """Return the entries of the bibliography that a text cites.

    Raises
    ------
    KeyError
        If it cites what the bibliography does not hold.
    """
    entries = {
        match.group(1): match.group(0)
        for match in re.finditer(
            r"@\w+\{(\w+),.*?^\}", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.M | re.S
        )
    }
    return "\n".join(entries[key] for key in sorted(set(re.findall(r"@(\w+)", methods)))) + "\n"


def _cohort(run: Run) -> str:
    scans = run.table("cohort/scans.tsv", tables.SCANS)
    if scans.empty:
        return "No scan passed the checks of the cohort stage."
    people = scans.drop_duplicates(["dataset", "subject"])
    sets = ", ".join(
        f"{name} ({len(rows)} scans of {rows['subject'].nunique()} people)"
        for name, rows in scans.groupby("dataset", sort=True)
    )
    splits = people["split"].value_counts()
    sides = ", ".join(f"{count} {name}" for name, count in sorted(splits.items()))
    return (
        f"**Scans.** T1-weighted scans of {sets} were used. People were assigned to splits as a "
        f"whole ({sides}); nothing was fitted on people of the test or apply splits."
    )


def _preprocessing(run: Run, config: dict[str, Any]) -> str:
    settings, space = config.get("preprocess"), config.get("space")
    if not settings or not space:
        return ""
    levels = settings["registration"]["levels"]
    names = " and then ".join(level["transform"] for level in levels)
    metrics = {METRICS.get(level["metric"], level["metric"]) for level in levels}
    quality = run.table("preprocess/qc.tsv", tables.QUALITY)
    checked = quality["status"].value_counts()
    masked = ", ".join(MASKS[way] for way in settings["mask"]["ways"])
    if "mask_way" in quality:
        won = quality["mask_way"].value_counts()
        masked = ", ".join(f"{MASKS[str(way)]} ({count} scans)" for way, count in won.items())
    return (
        f"**Preprocessing.** Brains were masked by the first of several ways that convinced a "
        f"judge of masks: {masked}. Bias fields were removed with N4 [@n4] and brains "
        f"registered to the ICBM152 2009a nonlinear "
        f"symmetric template [@icbm152]: {names}, by {' and '.join(sorted(metrics))}. Stripped "
        f"scans were resampled once to {space['voxel_mm']:g} mm voxels "
        f"({' x '.join(map(str, space['shape']))}) and their intensities normalised "
        f"(`{settings['intensity']['method']}`). Quality control accepted "
        f"{checked.get('accepted', 0)} scans, flagged {checked.get('flagged', 0)}, which no "
        f"autoencoder was fitted on, and rejected {checked.get('rejected', 0)}."
    )


def _autoencoder(run: Run, name: str, config: dict[str, Any]) -> str:
    settings = config.get("autoencoders", {}).get(name)
    if not settings:
        return ""
    if settings.get("bundle"):
        return f"**Autoencoder {name}.** The weights came from a bundle; its card says how."
    network, training, loss = settings["network"], settings["training"], settings["loss"]
    if network["family"] == "pca":
        return f"**Autoencoder {name}.** It was {FAMILIES['pca']}."
    kind = FAMILIES[network["family"]]
    history = run.table(f"autoencoder/{name}/history.tsv", tables.HISTORY)
    steps = f" for {int(history['step'].max())} steps" if "step" in history and len(history) else ""
    start = "pretrained weights" if settings.get("start") else "random weights"
    terms = {
        "perceptual": loss["perceptual"]["weight"]
        if loss["perceptual"]["network"] != "none"
        else 0,
        "patch-adversarial": loss["adversarial_weight"],
        "Kullback-Leibler": loss["kl_weight"],
    }
    heads = settings.get("heads")
    taught = (
        f" Linear heads for {', '.join(heads['tasks'])} on the pooled latent mean were trained "
        f"with it (weight {heads['weight']:g}), on labels of training people only."
        if heads
        else ""
    )
    weighted = ", ".join(f"{term} (weight {weight:g})" for term, weight in terms.items() if weight)
    return (
        f"**Autoencoder {name}.** {kind[0].upper()}{kind[1:]} was trained from "
        f"{start}{steps} with batches of {training['batch_size']}, learning rate "
        f"{training['learning_rate']:g}, and the loss L1{' + ' if weighted else ''}{weighted}, "
        f"after [@kapoor]. Its weights were selected by `{training['selection']}`."
        f"{taught}"
    )


def _volumes(run: Run, config: dict[str, Any]) -> str:
    settings = config.get("segmentation")
    if not settings:
        return ""
    network = "the network that comes with brainlapse"
    named = network if settings["backend"] == "embedded" else "SynthSeg [@synthseg]"
    return (
        f"**Regional volumes.** Real, reconstructed and forecast brains were segmented by {named} "
        "into the 32 structures of SynthSeg [@synthseg]; volumes are in MNI space."
    )


def _norms(run: Run) -> str:
    fits = run.table("analysis/norm_fits.tsv", tables.NORM_FITS)
    fitted = fits.loc[fits["note"].isna(), "people"]
    if fitted.empty:
        return ""
    return (
        f"**Norms.** Regional volumes of controls of the train split (at most "
        f"{int(fitted.max())} people, one scan each) were modelled as log-normal, the mean a "
        "natural cubic spline of age with a shift by sex, the logarithm of the spread a line in "
        "age, fitted by restricted maximum likelihood. Z-scores are those of a prediction; "
        "controls were held against curves fitted without them."
    )


def _ageing(config: dict[str, Any]) -> str:
    settings = config.get("aging")
    if not settings:
        return ""
    methods = ", ".join(str(method).replace("_", " ") for method in settings["methods"])
    seen = ", ".join(map(str, settings["scans_seen"]))
    return (
        f"**Ageing.** Each latent element was a straight line in age [@kapoor]. Later visits of "
        f"held-out people were forecast from their first {seen} scans ({methods}), decoded, "
        "segmented and compared with the scans that came true, beside a copy of the last scan seen."
    )


def _tasks(run: Run, config: dict[str, Any]) -> str:
    if not run.tasks or "analysis" not in config:
        return ""
    named = ", ".join(f"{task['name']} ({_task_words(task)})" for task in run.tasks)
    settings = config["analysis"]
    tuned = " Penalties were tuned by inner folds of each training fold."
    return (
        f"**Downstream tasks.** From the latents, in the manner of [@male]: {named}, by "
        f"cross-validation over people ({settings['folds']} folds)."
        f"{tuned if settings.get('tune') else ''}"
    )


def _task_words(task: dict[str, Any]) -> str:
    """Return the kind of a task, and what it is fitted on where that is no random fold."""
    words = task["kind"]
    if task.get("train_datasets"):
        words += (
            f", fitted on {', '.join(task['train_datasets'])} and judged on the other data sets"
        )
    if task.get("leave_out"):
        words += f", each {task['leave_out']} held out in turn"
    return words


def _software(versions: dict[str, str]) -> str:
    tools = ", ".join(f"{tool} {version}" for tool, version in versions.items())
    return f"**Software.** brainlapse [@brainlapse] on Snakemake [@snakemake]: {tools}."


def paragraphs(methods: str) -> list[str]:
    """Return the text for the page: paragraphs without marks."""
    return [re.sub(r"\*\*|`", "", part) for part in methods.strip().split("\n\n")]
