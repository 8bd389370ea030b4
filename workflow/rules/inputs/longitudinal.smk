"""Earlier visits of the same person, and what a later visit shares with them."""

import functools

from brainlapse.cohort.visits import paths_before
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.quality.review import read_review

PERSON_TRANSFORM = "_from-T1w_to-MNI_level-person_xfm.mat"
TOGETHER = config["preprocess"]["longitudinal"]["enabled"]
REJECTION_LIMITS = {
    key: value
    for key, value in config["preprocess"]["quality"].items()
    if key.startswith("reject_")
}


def visits_before(scan_path):
    """Scan paths of the person's earlier visits, in order of time; none where not wanted.

    Brains that another tool preprocessed come as that tool aligned them.
    """
    if not TOGETHER or scan_path.split("/")[0] in TAKEN:
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
    names = ("corrected", "mask", "transform", "scale", "mni_mask", "quality")
    visits = [VisitFiles.at(*visit) for visit in earlier_visits_of(wildcards)]
    return [path for visit in visits for path in visit.paths(*names)]


def earlier_visits_of(wildcards):
    """Name, beginning of the files, and transform of each earlier visit."""
    return [described(path) for path in visits_before(wildcards.scan_path)]


def described(scan_path):
    """Name, beginning of the files, and transform of a visit: a parameter of scripts."""
    stem = results(f"preprocess/{scan_path}")
    return Path(scan_path).name, stem, transform_of(scan_path)


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


def aligned_visits(wildcards):
    """Usable visits of a person with several, and those that they may have joined."""
    usable = paths_of_subjects(*usable_stamps())[wildcards.dataset, wildcards.subject]
    joined = [path for scan_path in usable for path in visits_before(scan_path)]
    return {
        "usable": [Path(path).name for path in usable],
        "visits": [described(path) for path in dict.fromkeys([*joined, *usable])],
    }


def aligned_files(wildcards):
    """Files of these visits."""
    visits = [VisitFiles.at(*visit) for visit in aligned_visits(wildcards)["visits"]]
    names = ("corrected", "mask", "transform", "quality")
    later = [
        visit for visit in visits if visit.transform.name.endswith(PERSON_TRANSFORM)
    ]
    return [path for visit in visits for path in visit.paths(*names)] + [
        path for visit in later for path in visit.paths("field")
    ]


def repeated_subjects():
    """Data set and name of each person with several usable visits; none where not wanted."""
    if not TOGETHER:
        return []
    paths = paths_of_subjects(*usable_stamps())
    return sorted(subject for subject, visits in paths.items() if len(visits) > 1)
