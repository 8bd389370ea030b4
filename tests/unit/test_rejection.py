"""One bad scan hands its reason on and harms nothing else."""

import pytest

from brainlapse.damage import DamagedFile
from brainlapse.rejection import Rejection, ScanRejected, read_rejection, run_stage


def test_result_is_no_rejection(tmp_path):
    (tmp_path / "a").write_bytes(b"\x1f\x8b anything")
    assert read_rejection(tmp_path / "a") is None


def test_rejected_scan_leaves_its_reason_in_every_output(tmp_path):
    def fail():
        message = 'a.nii: found "nothing"\nin it'
        raise ScanRejected(message)

    outputs = [tmp_path / "deep" / "b.nii.gz", tmp_path / "c.mat"]
    run_stage("mask_brain", [], outputs, fail)
    expected = Rejection(stage="mask_brain", reason='a.nii: found "nothing"\nin it')
    assert [read_rejection(path) for path in outputs] == [expected, expected]


def test_later_stage_hands_the_reason_on_without_working(tmp_path):
    def fail():
        raise ScanRejected("first")

    run_stage("first_stage", [], [tmp_path / "a"], fail)
    run_stage("later_stage", [tmp_path / "a"], [tmp_path / "b"], lambda: pytest.fail("worked"))
    assert read_rejection(tmp_path / "b") == Rejection(stage="first_stage", reason="first")


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), MemoryError(), OSError(5, "EIO"), DamagedFile("a", "cut")]
)
def test_fault_of_program_machine_or_run_stops_the_job(tmp_path, error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        run_stage("stage", [], [tmp_path / "a"], fail)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("rest", ["", ': {"stage"', ': {"stage": "mask_brain"}}', ": 7}"])
def test_a_notice_that_was_cut_is_damage(tmp_path, rest):
    path = tmp_path / "a.nii.gz"
    path.write_text('{"brainlapse_rejected"' + rest)
    with pytest.raises(DamagedFile, match="delete it and run again"):
        run_stage("stage", [path], [tmp_path / "b"], lambda: pytest.fail("worked"))
    assert not (tmp_path / "b").exists()
