"""Raw scans by the path of their results, levels of the registration, a person's decisions."""

import functools
import hashlib

from snakemake.exceptions import WorkflowError

from brainlapse.cohort.tables import scan_path

LEVEL_NAMES = [
    level["transform"] for level in config["preprocess"]["registration"]["levels"]
]
TAKEN = [
    name for name, dataset in config["datasets"].items() if dataset["preprocessed"]
]
TAKEN_PATHS = f"({'|'.join(TAKEN)})/.+" if TAKEN else "(?!)"
LAST_TRANSFORM = f"_from-T1w_to-MNI_level-{LEVEL_NAMES[-1]}_xfm.mat"


def cohort_content(wildcards):
    """Hash of scans.tsv: Snakemake goes by the time stamp of a table above a megabyte."""
    path, _ = cohort_stamp()
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def cohort_built(wildcards):
    """Nothing, once the cohort is known: lets a rule wait for it without reading its table."""
    cohort_stamp()
    return []


def raw_scan(wildcards):
    """Content of one raw scan, by hash; a parameter, so that a new content reruns."""
    return raw_row(wildcards)["image_sha256"]


def raw_path(wildcards, input):
    """The raw file of one scan. It takes `input`, so Snakemake does not rerun for another path."""
    return raw_row(wildcards)["path"]


def raw_row(wildcards):
    """Row of scans.tsv of one scan."""
    return raw_rows(*cohort_stamp())[wildcards.scan_path]


@functools.cache
def raw_rows(path, mtime_ns):
    """Map scan_path to path and content."""
    scans = read_scans(path, mtime_ns).set_index("scan_path")
    return scans[["path", "image_sha256"]].to_dict("index")


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
