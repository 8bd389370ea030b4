"""Where each scan stands, on made-up runs whose state is known."""

import os
import subprocess
import sys

import pytest
import yaml

from brainlapse.cohort.tables import SCAN_COLUMNS, scan_path
from brainlapse.operations import status
from brainlapse.rejection import Rejection, write_rejection
from brainlapse.runtime import write_table
from tests.conftest import ROOT
from tests.unit.figures import fake_run

MODEL = "s2d"


@pytest.fixture
def run(tmp_path):
    """A cohort of 4 people with 2 visits; nothing is preprocessed."""
    scans = fake_run.fake_scans(4, 2)
    scans = scans.assign(**{name: None for name in SCAN_COLUMNS if name not in scans})
    write_table(tmp_path / "cohort/scans.tsv", scans)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"autoencoders": {MODEL: {}}}))
    return tmp_path, scans


def finish(root, row, until="quality"):
    """Write the results of the preprocessing steps of one scan."""
    for step, ending in status.PREPROCESSED.items():
        path = root / f"preprocess/{scan_path(row.dataset, row.subject, row.session)}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"result")
        if step == until:
            return path
    return path


def write_log(root, rule, row, text, age=0):
    path = root / f"logs/{rule}/{scan_path(row.dataset, row.subject, row.session)}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1e9 - age, 1e9 - age))


def stand(root):
    table = status.status_table(status.read_run(root, [MODEL]))
    return table.set_index("scan")


def test_every_state_is_told(run):
    root, scans = run
    rows = list(scans.itertuples())
    for row in rows[:6]:
        finish(root, row)
    verdicts = scans[["dataset", "scan"]].assign(status="accepted", reasons=None)[:6]
    verdicts.loc[1, ["status", "reasons"]] = ["flagged", "dark"]
    verdicts.loc[2, ["status", "reasons"]] = ["rejected", "no brain"]
    write_table(root / "preprocess/qc.tsv", verdicts)
    for row in rows[:4]:
        (root / f"volumes/real/{row.dataset}").mkdir(parents=True, exist_ok=True)
        (root / f"volumes/real/{row.dataset}/{row.subject}_volumes.tsv").write_text("")
    write_table(root / f"latents/{MODEL}/index.tsv", scans[["dataset", "scan"]][:3])
    finish(root, rows[6], until="mask")
    finish(root, rows[7], until="bias")
    trace = "Traceback (most recent call last):\n  File\nValueError: ITK says no\n"
    write_log(root, "correct_bias", rows[6], trace)
    write_log(root, "mask_brain", rows[7], trace, age=60)
    write_log(root, "register_brain", rows[7], "registering")

    found = stand(root)
    assert list(found["state"]) == [
        "done", "flagged", "rejected", "waiting", "waiting", "waiting", "failed", "waiting",
    ]  # fmt: skip
    assert list(found["step"])[2:] == [
        "quality", f"latent of {MODEL}", "volumes", "volumes", "bias", "brain",
    ]  # fmt: skip
    assert found["detail"].iloc[6].startswith("ValueError: ITK says no (")
    text = status.as_text(found.reset_index())
    assert "no brain" in text
    assert "ValueError: ITK says no" in text


def test_a_notice_names_the_step_and_the_reason(run):
    root, scans = run
    row = next(scans.itertuples())
    finish(root, row)
    path = finish(root, row, until="brain")
    write_rejection([path], Rejection("place_brain", "outside the field of view"))
    assert stand(root).loc[row.scan, "state"] == "rejected"
    assert stand(root).loc[row.scan, "detail"] == "outside the field of view"


def test_command_prints_and_writes_the_table(run, tmp_path):
    root, _ = run
    command = [sys.executable, "-m", "brainlapse.operations", "status"]
    done = subprocess.run(
        [*command, str(root), "--table", str(root / "status.tsv")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "waiting" in done.stdout
    assert len((root / "status.tsv").read_text().splitlines()) == 9
    nothing = subprocess.run(
        [*command, str(root / "nowhere")], cwd=ROOT, capture_output=True, text=True
    )
    assert nothing.returncode == 1
    assert "expected the output folder of a run" in nothing.stderr
    assert "Traceback" not in nothing.stderr
