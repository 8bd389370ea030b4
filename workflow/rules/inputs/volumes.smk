"""What is segmented, with which weights and memory; tables of one subject each."""

import functools

from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.plan import plan_interpolations
from brainlapse.cohort.blocks import with_blocks
from brainlapse.latents import reconstructed_file
from brainlapse.segmentation.noise_floor import choose_scans
from brainlapse.segmentation.reading import held_out_scans

PLANS = {"predicted": plan_forecasts, "interpolated": plan_interpolations}
HELD_OUT_ONLY = config["segmentation"]["reconstructions"] == "held_out"
SEGMENTATION = {
    key: value
    for key, value in config["segmentation"].items()
    if key != "reconstructions"
}
SEGMENTATION_GPU = int(config["segmentation"]["gpu"])
SEGMENTATION_MEM_MB = 2500 if config["segmentation"]["backend"] == "embedded" else 9000
MINUTES_PER_IMAGE = 0.5 if config["segmentation"]["backend"] == "embedded" else 5
# Of the four places of a group's submission: those that use a GPU or much memory go one by one.
SEGMENTATION_PLACES = 4 if SEGMENTATION_GPU or SEGMENTATION_MEM_MB > 2500 else 1
# Quality's limits judge scans and change none: they repeat nothing.
CHAIN_SETTINGS = {
    name: part for name, part in config["preprocess"].items() if name != "quality"
}


def segmenter_weights(wildcards):
    """Weights of the embedded network, where they are not the ones that come along."""
    settings = config["segmentation"]
    own = settings["weights"] and settings["backend"] == "embedded"
    return [settings["weights"]] if own else []


def subject_brains(wildcards):
    """Normalised brains of one subject."""
    paths = paths_of_subjects(*usable_stamps())[wildcards.dataset, wildcards.subject]
    return [results(f"preprocess/{path}{BRAIN}") for path in paths]


@functools.cache
def paths_of_subjects(*stamps):
    """Map (dataset, subject) to the paths of its usable scans."""
    scans = join_quality(*stamps)
    return scans.groupby(["dataset", "subject"])["scan_path"].apply(list).to_dict()


def usable_known(wildcards):
    """Nothing, once it is known which scans are usable: parameters can't wait for checkpoints."""
    usable_stamps()
    return []


def decoded_folder(wildcards):
    """The folder with what one model decoded of one kind, of these people or of everyone."""
    model, block = wildcards.model, f"{wildcards.dataset}/{wildcards.block}"
    folders = {
        "reconstructed": f"latents/{model}/reconstructions/{block}",
        "predicted": f"aging/{model}/predicted/{block}",
        "interpolated": f"aging/{model}/interpolated",
    }
    return results(folders[wildcards.kind])


@functools.cache
def files_of_blocks(kind, brought, *stamps):
    """Map (dataset, block) to the files that are segmented, relative to their folder."""
    if kind != "reconstructed":
        plans = plans_of_blocks(PLANS[kind], brought, *stamps)
        return {key: part["file"].tolist() for key, part in plans.items()}
    files = with_blocks(join_quality(*stamps))
    if HELD_OUT_ONLY:
        files = held_out_scans(files)
    files = files.assign(file=[reconstructed_file(p) for p in files["scan_path"]])
    return files.groupby(["dataset", "block"])["file"].apply(list).to_dict()


def decoded_files(kind, model):
    """The same for one model."""
    return files_of_blocks(kind, brought_methods(model), *usable_stamps())


def decoded_images(wildcards):
    """Files that one autoencoder decoded of a block of people, relative to their folder."""
    files = decoded_files(wildcards.kind, wildcards.model)
    return files[wildcards.dataset, wildcards.block]


def decoded_minutes(wildcards, attempt):
    """Time limit of segmenting a block of people."""
    return attempt * (20 + MINUTES_PER_IMAGE * len(decoded_images(wildcards)))


def volume_tables(wildcards):
    """Tables of volumes: per person of real scans, per block of people of decoded ones."""
    tables = [
        results(f"volumes/real/{dataset}/{subject}_volumes.tsv")
        for dataset, subject in paths_of_subjects(*usable_stamps())
    ]
    tables += [
        results(f"volumes/aligned/{dataset}/{subject}_volumes.tsv")
        for dataset, subject in repeated_subjects()
    ]
    tables += [
        results(f"volumes/{model}/{kind}/{dataset}_{block}_volumes.tsv")
        for model in MODELS
        for kind in ("reconstructed", *PLANS)
        for dataset, block in decoded_files(kind, model)
    ]
    return tables


def repeated_visit(wildcards):
    """Name, beginning of the files and transform of a scan that is processed again."""
    return described(wildcards.scan_path)


def repeated_dataset(wildcards):
    """Data set of a scan that is processed again."""
    return wildcards.scan_path.split("/")[0]


def repeated_files(wildcards):
    """Files of a scan that is processed again."""
    visit = VisitFiles.at(*described(wildcards.scan_path))
    return visit.paths("corrected", "mask", "transform")


def repeated_tables(wildcards):
    """A table per scan that is processed again: some accepted first visits."""
    scans = usable_table()
    accepted = scans.loc[~scans["flagged"], "scan_path"]
    first = [path for path in accepted if not visits_before(path)]
    chosen = choose_scans(first, config["report"]["repeated_scans"])
    return [results(f"volumes/repeats/{path}_repeated.tsv") for path in chosen]
