"""What all stages share: result paths, code fingerprints, and which scans go where.

The cohort is known only after two checkpoints: build_cohort (scans that can be read) and
collect_quality (scans that went through preprocessing). The functions below read their tables.
"""

import functools
import hashlib

import pandas as pd
from snakemake.exceptions import WorkflowError

from brainlapse.aging.plan import (
    compared_scans,
    plan_forecasts,
    plan_interpolations,
    planned_subjects,
)
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.folders.state import dataset_state
from brainlapse.cohort.tables import scan_path
from brainlapse.figures.captions import read_captions
from brainlapse.figures.scans.order import pictured
from brainlapse.provenance import code_fingerprint
from brainlapse.segmenter.label_maps import find_label_maps
from brainlapse.training.model.start_settings import start_digest

OUT = config["output"]
BRAIN = "_space-MNI_desc-brain_T1w.nii.gz"
BRAIN_MASK = "_space-MNI_desc-brain_mask.nii.gz"
LEVELS = config["preprocess"]["registration"]["levels"]
LEVEL_NAMES = [level["transform"] for level in LEVELS]
LAST_TRANSFORM = f"_from-T1w_to-MNI_level-{LEVEL_NAMES[-1]}_xfm.mat"
MODELS = list(config["autoencoders"])
VIEWED = config["report"]["viewer"]["model"] or MODELS[0]
NO_MODEL = "(?!)"  # matches nothing
BUNDLED = "|".join(m for m in MODELS if config["autoencoders"][m]["bundle"]) or NO_MODEL
TRAINED = (
    "|".join(m for m in MODELS if not config["autoencoders"][m]["bundle"]) or NO_MODEL
)
ENCODING = {key: config["latents"][key] for key in ("batch_size", "precision")}
DECODING = {
    key: value for key, value in config["latents"].items() if key != "perceptual"
}
TASKS = [task["name"] for task in config["tasks"]]
CAPTIONS = read_captions(Path(workflow.basedir, "workflow", "report"))
SEGMENTATION_GPU = int(config["segmentation"]["gpu"])
SEGMENTATION_MEM_MB = 2500 if config["segmentation"]["backend"] == "embedded" else 9000
# Of the four places of a group's submission: those that use a GPU or much memory go one by one.
SEGMENTATION_PLACES = 4 if SEGMENTATION_GPU or SEGMENTATION_MEM_MB > 2500 else 1
SIMULATED = [
    name for name, dataset in config["datasets"].items() if dataset["simulate"]
]


def results(path):
    """Place a path, possibly with wildcards, under the output folder."""
    return f"{OUT}/{path}"


def code_of(rule_name):
    """Hash the meaning of a rule's script and of the library code that it reaches."""
    return code_fingerprint(
        Path(workflow.basedir, "workflow", "scripts", f"{rule_name}.py")
    )


def stamped(path):
    """A path and its modification time: what the caches below are keyed on."""
    return str(path), Path(path).stat().st_mtime_ns


def rows(frame):
    """Turn a table into dicts of plain values, None where missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def with_paths(frame):
    """Add the scan_path column to a table of scans."""
    session = frame["session"].where(frame["session"].notna(), None)
    keys = zip(frame["dataset"], frame["subject"], session, strict=True)
    return frame.assign(scan_path=[scan_path(*key) for key in keys])


def simulation_settings(wildcards):
    """Settings of one simulated data set."""
    return config["datasets"][wildcards.dataset]["simulate"]


def level_settings(wildcards):
    """Settings of one level of the registration."""
    return LEVELS[LEVEL_NAMES.index(wildcards.level)]


def level_limits(wildcards):
    """What the result must keep: the last level alone is judged."""
    limits = config["preprocess"]["registration"]["limits"]
    return limits if wildcards.level == LEVEL_NAMES[-1] else {}


def level_before(wildcards):
    """Transform that a level starts from; none for the first."""
    index = LEVEL_NAMES.index(wildcards.level)
    names = LEVEL_NAMES[max(0, index - 1) : index]
    template = "preprocess/{path}_from-T1w_to-MNI_level-{level}_xfm.mat"
    return [
        results(template.format(path=wildcards.scan_path, level=name)) for name in names
    ]


def cohort_table():
    """Accepted scans, after the cohort is built."""
    return read_scans(*stamped(checkpoints.build_cohort.get().output.scans))


@functools.cache
def read_scans(path, mtime_ns):
    """Read a table of scans and add their paths."""
    return with_paths(runtime.read_table(path))


def cohort_content(wildcards):
    """Hash of scans.tsv: Snakemake goes by the time stamp of a table above a megabyte."""
    path = checkpoints.build_cohort.get().output.scans
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def usable_table():
    """Scans that went through preprocessing, with the flag of quality control."""
    return join_quality(*usable_stamps())


def usable_stamps():
    """The two tables that say which scans are usable."""
    scans = checkpoints.build_cohort.get().output.scans
    quality = checkpoints.collect_quality.get().output.table
    return stamped(scans) + stamped(quality)


@functools.cache
def join_quality(scans, scans_mtime_ns, quality, quality_mtime_ns):
    """Join scans.tsv with the verdicts of qc.tsv."""
    keys = ["dataset", "scan"]
    verdicts = runtime.read_table(quality)[[*keys, "status"]]
    joined = read_scans(scans, scans_mtime_ns)
    joined = joined.merge(verdicts, on=keys, validate="one_to_one")
    joined = joined[joined["status"] != "rejected"]
    return joined.assign(flagged=joined["status"] == "flagged").drop(columns="status")


def fit_table():
    """Scans that may train an autoencoder: fit data, not for testing, not flagged."""
    scans = usable_table()
    chosen = (scans["role"] == "fit") & scans["split"].isin(["train", "validation"])
    return scans[chosen & ~scans["flagged"]]


def raw_state(wildcards):
    """Digest of the files of each data set: new if one was added, removed or touched.

    The raw files are no inputs: one that cannot be read, or is dated tomorrow, would stop
    Snakemake, and a copy with new time stamps would run everything again.
    """
    return {
        name: dataset_state(dataset["bids"])
        for name, dataset in config["datasets"].items()
        if dataset["bids"]
    }


def label_maps(wildcards):
    """The label maps that the segmenter is trained on."""
    if not config["segmenter"]:
        message = (
            "train_segmenter needs label maps: snakemake train_segmenter --configfile "
            "segmenter.yaml, with segmenter.label_maps naming a folder"
        )
        raise WorkflowError(message)
    return [str(path) for path in find_label_maps(config["segmenter"]["label_maps"])]


def pretraining_settings(wildcards):
    """Settings of pretraining."""
    if not config["pretraining"]:
        message = (
            "pretrain_autoencoder needs settings: snakemake pretrain_autoencoder --configfile "
            "pretraining.yaml, with segmenter.label_maps naming a folder"
        )
        raise WorkflowError(message)
    return config["pretraining"]


def segmenter_weights(wildcards):
    """Weights of the embedded network, where they are not the ones that come along."""
    settings = config["segmentation"]
    own = settings["weights"] and settings["backend"] == "embedded"
    return [settings["weights"]] if own else []


def cohort_built(wildcards):
    """Nothing, once the cohort is known: lets a rule wait for it without reading its table."""
    checkpoints.build_cohort.get()
    return []


def raw_scan(wildcards):
    """Content of one raw scan, by hash; a parameter, so that a new content reruns."""
    return raw_row(wildcards)["image_sha256"]


def raw_path(wildcards, input):
    """The raw file of one scan. It takes `input`, so Snakemake does not rerun for another path."""
    return raw_row(wildcards)["path"]


def raw_row(wildcards):
    """Row of scans.tsv of one scan."""
    scans = checkpoints.build_cohort.get().output.scans
    return raw_rows(*stamped(scans))[wildcards.scan_path]


@functools.cache
def raw_rows(path, mtime_ns):
    """Map scan_path to path and content."""
    scans = read_scans(path, mtime_ns).set_index("scan_path")
    return scans[["path", "image_sha256"]].to_dict("index")


def preprocessed(frame, suffix):
    """Paths of one kind of preprocessing output for a table of scans."""
    return [results(f"preprocess/{path}{suffix}") for path in frame["scan_path"]]


def quality_files(wildcards):
    """The quality record of every scan of the cohort."""
    return preprocessed(cohort_table(), "_qc.json")


def review_file(wildcards):
    """The table of a person's decisions, where there is one."""
    named = config["preprocess"]["quality"]["review"]
    if named and not Path(named).is_file():
        message = f"preprocess.quality.review: expected a table at {named}, found none"
        raise WorkflowError(message)
    path = named or results("qc_review.tsv")
    return [path] if Path(path).is_file() else []


def usable_brains(wildcards):
    """Normalised brains that every later stage uses."""
    return preprocessed(usable_table(), BRAIN)


def usable_masks(wildcards):
    """Brain masks in MNI space."""
    return preprocessed(usable_table(), BRAIN_MASK)


def usable_selection(wildcards):
    """Rows of the usable scans, all columns; a parameter, so that a change reruns."""
    return rows(usable_table())


def fit_brains(wildcards):
    """Brains that train and select the autoencoders."""
    return preprocessed(fit_table(), BRAIN)


def fit_selection(wildcards):
    """Identity, split and file of the scans that train and select the autoencoders."""
    scans = fit_table()
    scans = scans.assign(path=preprocessed(scans, BRAIN))
    return scans[["dataset", "scan", "split", "path"]].values.tolist()


def training_scans():
    """Scans that train the autoencoders; validation scans only select weights."""
    scans = fit_table()
    return scans[scans["split"] == "train"]


def training_brains(wildcards):
    """Brains that train the autoencoders."""
    return preprocessed(training_scans(), BRAIN)


def mean_image_table(wildcards):
    """Metrics of the mean training image; none where no scan is for training."""
    found = len(training_scans())
    return [results("baselines/mean_image.tsv")] if found else []


def mean_image_errors(wildcards):
    """Volume errors of the mean training image; none where no scan is for training."""
    found = len(training_scans())
    return [results("baselines/mean_image_volume_error.tsv")] if found else []


def model_settings(wildcards):
    """Settings of one autoencoder."""
    return config["autoencoders"][wildcards.model]


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


def judge_code(wildcards):
    """The segmenter's code, which a model depends on where volumes select its weights."""
    if model_settings(wildcards)["training"]["selection"] != "volumes":
        return {}
    return code_fingerprint(
        Path(workflow.basedir, "brainlapse", "segmentation", "embedded", "judge.py")
    )


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


def task_settings(wildcards):
    """Settings of one task."""
    return next(task for task in config["tasks"] if task["name"] == wildcards.task)


def subject_brains(wildcards):
    """Normalised brains of one subject."""
    paths = paths_of_subjects(*usable_stamps())[wildcards.dataset, wildcards.subject]
    return [results(f"preprocess/{path}{BRAIN}") for path in paths]


@functools.cache
def paths_of_subjects(*stamps):
    """Map (dataset, subject) to the paths of its usable scans."""
    scans = join_quality(*stamps)
    return scans.groupby(["dataset", "subject"])["scan_path"].apply(list).to_dict()


@functools.cache
def planned(function, *stamps):
    """Plan once per state of the two tables."""
    settings = AgingSettings.model_validate(config["aging"])
    return function(join_quality(*stamps), settings)


def plan_with(function):
    """Plan forecasts or interpolations of the usable scans."""
    return planned(function, *usable_stamps())


def forecast_brains(wildcards):
    """Brains that forecasts are compared with: targets and last scans seen."""
    paths = compared_scans(plan_with(plan_forecasts))
    return [results(f"preprocess/{path}{BRAIN}") for path in paths]


def forecast_masks(wildcards):
    """Masks of the brains that forecasts are compared with."""
    paths = compared_scans(plan_with(plan_forecasts))
    return [results(f"preprocess/{path}{BRAIN_MASK}") for path in paths]


def interpolation_masks(wildcards):
    """Masks of the scans that are interpolated between."""
    plan = plan_with(plan_interpolations)
    ends = [
        plan[["dataset", "subject", column]].set_axis(
            ["dataset", "subject", "session"], axis=1
        )
        for column in ("session_first", "session_last")
    ]
    scans = with_paths(pd.concat(ends).drop_duplicates())
    return preprocessed(scans, BRAIN_MASK)


def decoded_folder(wildcards):
    """The folder with the decoded scans of one model and kind."""
    if wildcards.kind == "reconstructed":
        return results(f"latents/{wildcards.model}/reconstructions")
    return results(f"aging/{wildcards.model}/{wildcards.kind}")


def volume_tables(wildcards):
    """One table of regional volumes per subject: real, and per model and kind decoded."""
    scans = usable_table()
    everyone = sorted(set(zip(scans["dataset"], scans["subject"], strict=True)))
    tables = [
        results(f"volumes/real/{dataset}/{subject}_volumes.tsv")
        for dataset, subject in everyone
    ]
    decoded = {
        "reconstructed": everyone,
        "predicted": planned_subjects(plan_with(plan_forecasts)),
        "interpolated": planned_subjects(plan_with(plan_interpolations)),
    }
    tables += [
        results(f"volumes/{model}/{kind}/{dataset}/{subject}_volumes.tsv")
        for model in MODELS
        for kind, subjects in decoded.items()
        for dataset, subject in subjects
    ]
    return tables


def pictured_images(wildcards):
    """Images behind the quality pictures: heads and brains, each with its mask."""
    quality = read_scans(*stamped(checkpoints.collect_quality.get().output.table))
    records = pictured(rows(quality), config["report"]["max_qc_pictures"])
    suffixes = (
        "_desc-n4_T1w.nii.gz",
        "_space-T1w_desc-brain_mask.nii.gz",
        BRAIN,
        BRAIN_MASK,
    )
    return [
        results(f"preprocess/{record['scan_path']}{suffix}")
        for record in records
        if record["status"] != "rejected"
        for suffix in suffixes
    ]
