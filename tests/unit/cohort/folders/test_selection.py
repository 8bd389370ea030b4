import itertools

import pytest

from brainlapse.cohort.folders.names import parse_name
from brainlapse.cohort.folders.selection import group_sessions, reason_not_picked


def candidates(*names):
    return [parse_name(f"/d/sub-1/anat/sub-1_{name}", "sub-1", None) for name in names]


@pytest.mark.parametrize(
    ("best", "other", "why"),
    [
        ("T1w.nii.gz", "ce-gad_T1w.nii.gz", "contrast agent"),
        ("acq-a_T1w.nii.gz", "acq-b_T1w.nii.gz", "acquisition"),
        ("T1w.nii.gz", "acq-a_T1w.nii.gz", "plain acquisition"),
        ("acq-a_T1w.nii.gz", "rec-norm_T1w.nii.gz", "reconstruction"),
        ("run-2_T1w.nii.gz", "run-10_T1w.nii.gz", "lower run"),
        ("run-2_T1w.nii.gz", "acq-a_run-1_T1w.nii.gz", "acquisition"),
        ("echo-1_run-2_T1w.nii.gz", "echo-2_run-1_T1w.nii.gz", "lower echo"),
        ("T1w.nii", "T1w.nii.gz", "another file format"),
        ("run-2_T1w.nii.gz", "part-phase_run-1_T1w.nii.gz", "magnitude"),
    ],
)
def test_rule(best, other, why):
    for names in itertools.permutations([best, other]):
        picked = group_sessions(candidates(*names))["sub-1", None][0]
        assert picked.name == f"sub-1_{best}"
    assert why in reason_not_picked(candidates(other)[0], picked)


def test_phase_only_sessions_have_no_candidate():
    assert group_sessions(candidates("part-phase_T1w.nii.gz")) == {}
