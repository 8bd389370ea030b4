"""What all stages share: result paths, code fingerprints, tables of scans.

The cohort is known only after two checkpoints: build_cohort (scans that can be read) and
collect_quality (scans that went through preprocessing). The functions below read their tables.
What one stage needs stands in inputs/<stage>.smk.
"""

import functools

from brainlapse.cohort.tables import BRAIN
from brainlapse.cohort.tables import BRAIN_MASK
from brainlapse.cohort.tables import scan_path
from brainlapse.damage import check_agree
from brainlapse.provenance import code_fingerprint

OUT = config["output"]
READ_BY_RULES = ("dataset", "subject", "session", "scan", "path", "role", "split")
MODELS = list(config["autoencoders"])
TASKS = [task["name"] for task in config["tasks"]]


def results(path):
    """Place a path, possibly with wildcards, under the output folder."""
    return f"{OUT}/{path}"


def code_of(rule_name):
    """Hash the meaning of a rule's script and of the library code that it reaches."""
    return code_fingerprint(
        Path(workflow.basedir, "workflow", "scripts", f"{rule_name}.py")
    )


@functools.cache
def growing(amount):
    """Memory [MB] or time [min] that grows with every attempt at a job: retries are of use."""

    def of_attempt(wildcards, attempt):
        return attempt * amount

    return of_attempt


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


def preprocessed(frame, suffix):
    """Paths of one kind of preprocessing output for a table of scans."""
    return [results(f"preprocess/{path}{suffix}") for path in frame["scan_path"]]


# The two tables don't change any more once their checkpoint is done, so that each is asked for
# and looked at once: every job of a large cohort would do it several times.
@functools.cache
def cohort_stamp():
    """The table of accepted scans, after the cohort is built."""
    return stamped(checkpoints.build_cohort.get().output.scans)


@functools.cache
def quality_stamp():
    """The table of verdicts, after quality control."""
    return stamped(checkpoints.collect_quality.get().output.table)


def cohort_table():
    """Accepted scans, after the cohort is built."""
    return read_scans(*cohort_stamp())


@functools.cache
def read_scans(path, mtime_ns):
    """Read a table of scans and add their paths."""
    return with_paths(runtime.read_table(path, READ_BY_RULES))


def usable_table():
    """Scans that went through preprocessing, with the flag of quality control."""
    return join_quality(*usable_stamps())


def usable_stamps():
    """The two tables that say which scans are usable."""
    return cohort_stamp() + quality_stamp()


@functools.cache
def join_quality(scans, scans_mtime_ns, quality, quality_mtime_ns):
    """Join scans.tsv with the verdicts of qc.tsv."""
    keys = ["dataset", "scan"]
    verdicts = runtime.read_table(quality, [*keys, "status"])[[*keys, "status"]]
    joined = read_scans(scans, scans_mtime_ns)
    check_agree(
        quality,
        map(tuple, verdicts[keys].values),
        scans,
        map(tuple, joined[keys].values),
        "scans",
    )
    joined = joined.merge(verdicts, on=keys, validate="one_to_one")
    joined = joined[joined["status"] != "rejected"]
    return joined.assign(flagged=joined["status"] == "flagged").drop(columns="status")


def fit_table():
    """Scans that may train an autoencoder: fit data, not for testing, not flagged."""
    scans = usable_table()
    chosen = (scans["role"] == "fit") & scans["split"].isin(["train", "validation"])
    return scans[chosen & ~scans["flagged"]]
