"""The tiny cohort through the SLURM profile, on whatever SLURM answers on this machine.

The profile's partitions, `cpu` and `gpu`, must exist. A one-node SLURM on loopback is enough.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def partitions():
    if shutil.which("sinfo") is None:
        return set()
    done = subprocess.run(
        ["sinfo", "--noheader", "--format", "%R %t"], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0] for row in rows if len(row) == 2 and row[1] in ("idle", "mix", "alloc")}


@pytest.mark.slurm
@pytest.mark.slow
@pytest.mark.skipif(
    not {"cpu", "gpu"} <= partitions(), reason="no SLURM with partitions cpu and gpu answers"
)
def test_tiny_cohort_reaches_its_report_on_slurm(snakemake, tmp_path):
    done = snakemake(
        tmp_path, "--profile", ROOT / "profiles/slurm",
        "--configfile", ROOT / "tests/config/tiny.yaml", timeout=3000,
    )  # fmt: skip
    assert (tmp_path / "results/report/index.html").is_file(), done.stdout[-3000:]
    again = snakemake(tmp_path, "--cores", 1, "-n", "--configfile", ROOT / "tests/config/tiny.yaml")
    assert "Nothing to be done" in again.stdout
