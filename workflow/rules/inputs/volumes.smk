"""What is segmented, with which weights and memory; tables of one subject each."""

import functools

from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.plan import plan_interpolations
from brainlapse.aging.plan import planned_subjects
from brainlapse.cohort.tables import scan_path

RECONSTRUCTED = "_space-MNI_desc-reconstructed_T1w.nii.gz"
PLANS = {"predicted": plan_forecasts, "interpolated": plan_interpolations}
SEGMENTATION_GPU = int(config["segmentation"]["gpu"])
SEGMENTATION_MEM_MB = 2500 if config["segmentation"]["backend"] == "embedded" else 9000
# Of the four places of a group's submission: those that use a GPU or much memory go one by one.
SEGMENTATION_PLACES = 4 if SEGMENTATION_GPU or SEGMENTATION_MEM_MB > 2500 else 1


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


def decoded_folder(wildcards):
    """The folder with the decoded scans of one model and kind."""
    if wildcards.kind == "reconstructed":
        return results(f"latents/{wildcards.model}/reconstructions")
    return results(f"aging/{wildcards.model}/{wildcards.kind}")


def decoded_images(wildcards):
    """Files that one autoencoder decoded of one subject, relative to their folder."""
    if wildcards.kind == "reconstructed":
        key = wildcards.dataset, wildcards.subject
        paths = paths_of_subjects(*usable_stamps())[key]
        return [f"{path}{RECONSTRUCTED}" for path in paths]
    plan = plan_with(PLANS[wildcards.kind])
    mine = (plan["dataset"] == wildcards.dataset) & (
        plan["subject"] == wildcards.subject
    )
    return plan.loc[mine, "file"].tolist()


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
