"""Scans, settings and devices of a training; files of a bundle."""

import functools

from snakemake.exceptions import WorkflowError

from brainlapse.bundle.files import listed_rates
from brainlapse.cohort.columns import find_named
from brainlapse.cohort.tables import SPLIT_SCAN
from brainlapse.provenance import code_fingerprint
from brainlapse.training.model.start_settings import start_digest

NO_MODEL = "(?!)"  # matches nothing
BUNDLED = "|".join(m for m in MODELS if config["autoencoders"][m]["bundle"]) or NO_MODEL
TRAINED = (
    "|".join(m for m in MODELS if not config["autoencoders"][m]["bundle"]) or NO_MODEL
)


def fit_brains(wildcards):
    """Brains that train and select the autoencoders."""
    return preprocessed(fit_table(), BRAIN)


def fit_selection(wildcards):
    """Identity, split and file of the scans that train and select the autoencoders."""
    scans = fit_table()
    scans = scans.assign(path=preprocessed(scans, BRAIN))
    return scans[["dataset", "scan", "split", "path"]].values.tolist()


def model_settings(wildcards):
    """Settings of one autoencoder; those of heads only where it has any."""
    settings = config["autoencoders"][wildcards.model]
    return {key: value for key, value in settings.items() if key != "heads" or value}


def taught_tasks(model):
    """Settings of the tasks that one autoencoder is trained on as well."""
    heads = config["autoencoders"][model]["heads"]
    names = heads["tasks"] if heads else []
    return [task for task in config["tasks"] if task["name"] in names]


def head_tasks(wildcards):
    """What the labels of an autoencoder's tasks are taken by."""
    return taught_tasks(wildcards.model)


def head_labels(wildcards):
    """Labels of the training scans; nothing for an autoencoder without heads."""
    if not taught_tasks(wildcards.model):
        return []
    return [results(f"autoencoder/{wildcards.model}/labels.tsv")]


def labelled_scans(wildcards):
    """Training scans with the columns that the tasks of an autoencoder ask for.

    Nobody else's: a label of somebody held out is no part of any input of the training.
    """
    scans = fit_table()
    scans = scans[scans["split"] == "train"]
    named = [find_named(t["target"], scans) for t in taught_tasks(wildcards.model)]
    kept = ["person"] if "person" in scans else []
    columns = dict.fromkeys([*SPLIT_SCAN, *kept, *filter(None, named)])
    return rows(scans[list(columns)])


def training_start(wildcards):
    """Hash of the weights that one autoencoder starts from."""
    return start_digest(model_settings(wildcards)["start"])


def training_devices(wildcards):
    """GPUs of each node for one autoencoder; with `devices: auto`, one is asked for."""
    if model_settings(wildcards)["network"]["family"] == "pca":
        return 0
    devices = model_settings(wildcards)["training"]["devices"]
    return 1 if devices == "auto" else devices


def training_gpus(wildcards):
    """GPUs of a training on one node; on several they are counted per node, as gres."""
    return 0 if training_nodes(wildcards) else training_devices(wildcards)


def training_gres(wildcards):
    """GPUs of each node of a training on several nodes; None, for one, asks for nothing."""
    return f"gpu:{training_devices(wildcards)}" if training_nodes(wildcards) else None


def training_nodes(wildcards):
    """Nodes that share the batches of one autoencoder; None, for one, asks for nothing."""
    nodes = model_settings(wildcards)["training"]["nodes"]
    return nodes if nodes > 1 else None


def training_mpi(wildcards):
    """Tell SLURM's executor to leave the tasks on several nodes to the script."""
    return "srun" if training_nodes(wildcards) else None


def training_tasks_per_gpu(wildcards):
    """Let the number of tasks on several nodes depend on nodes, not on GPUs."""
    return 0 if training_nodes(wildcards) else None


def optional_code(wildcards):
    """Code that only some models depend on: the segmenter as a judge, heads."""
    settings = model_settings(wildcards)
    modules = []
    if settings["training"]["selection"] == "volumes":
        modules.append("segmentation/embedded/judge.py")
    if taught_tasks(wildcards.model):
        modules.append("training/heads/network.py")
    paths = [Path(workflow.basedir, "brainlapse", module) for module in modules]
    return {k: v for path in paths for k, v in code_fingerprint(path).items()}


def bundle_path(wildcards):
    """Folder or zip file of the bundle that one autoencoder comes from."""
    return config["autoencoders"][wildcards.model]["bundle"]


def bundle_files(wildcards):
    """The files of a bundle: the zip file, or what is in the folder."""
    path = Path(bundle_path(wildcards))
    if not path.exists():
        message = (
            f"autoencoders.{wildcards.model}.bundle: {path}: expected a folder or .zip file, "
            "found nothing there"
        )
        raise WorkflowError(message)
    return sorted(map(str, path.iterdir())) if path.is_dir() else [str(path)]


def bundled_rates(wildcards):
    """Rates of ageing that came with a model."""
    if not bundle_path(wildcards):
        return []
    return [results(f"autoencoder/{wildcards.model}/rates.safetensors")]


@functools.cache
def brought_methods(model):
    """Methods of forecasting whose rates come with a model, as its bundle says."""
    bundle = config["autoencoders"][model]["bundle"]
    return listed_rates(bundle) if bundle else ()
