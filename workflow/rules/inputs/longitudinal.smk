"""Earlier visits of the same person, and what a later visit shares with them."""

import functools

from brainlapse.cohort.visits import paths_before
from brainlapse.preprocessing.longitudinal.files import EarlierFiles
from brainlapse.preprocessing.quality.review import read_review

PERSON_TRANSFORM = "_from-T1w_to-MNI_level-person_xfm.mat"
TOGETHER = config["preprocess"]["longitudinal"]["enabled"]
REJECTION_LIMITS = {
    key: value
    for key, value in config["preprocess"]["quality"].items()
    if key.startswith("reject_")
}


def visits_before(scan_path):
    """Scan paths of the person's earlier visits, in order of time; none where not wanted."""
    if not TOGETHER:
        return []
    return visit_table(*cohort_stamp(), *review_stamps()).get(scan_path, [])


@functools.cache
def review_stamps():
    """The table of a person's decisions, where there is one."""
    return tuple(stamped(path) for path in review_file(None))


@functools.cache
def visit_table(path, mtime_ns, *reviews):
    """Map scan_path to the scan paths before it; visits that a person excluded are left out."""
    scans = read_scans(path, mtime_ns)
    decided = [read_review(review, scans) for review, _ in reviews]
    excluded = {
        key
        for decisions in decided
        for key, one in decisions.items()
        if one.decision == "exclude"
    }
    return paths_before(scans, excluded)


def earlier_files(wildcards):
    """Everything that a later visit reads of the earlier ones."""
    return [
        path
        for visit in earlier_visits_of(wildcards)
        for path in visit_files(*visit[1:])
    ]


def earlier_visits_of(wildcards):
    """Name, beginning of the files, and transform of each earlier visit."""
    return [
        (Path(path).name, results(f"preprocess/{path}"), transform_of(path))
        for path in visits_before(wildcards.scan_path)
    ]


def visit_files(stem, transform):
    """Files of one earlier visit."""
    files = EarlierFiles.at("", stem, transform)
    return [str(path) for path in files.paths()]


def transform_of(scan_path):
    """The transform that a scan is resampled with: its own, or by way of an earlier visit."""
    later = bool(visits_before(scan_path))
    return results(
        f"preprocess/{scan_path}{PERSON_TRANSFORM if later else LAST_TRANSFORM}"
    )


def final_transform(wildcards):
    """The transform that a scan is resampled with."""
    return transform_of(wildcards.scan_path)


def shared(suffix):
    """Make an input function: a file of `align_visit`, of later visits only."""

    def files(wildcards):
        path = results(f"preprocess/{wildcards.scan_path}{suffix}")
        return [path] if visits_before(wildcards.scan_path) else []

    return files
