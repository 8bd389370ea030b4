"""docs/extending.md holds: a toy of each kind works, added to a copy by the files it names."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import planned_rules, run_snakemake
from tests.standin import write_scan, write_stand_in

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config.yaml", "brainlapse", "workflow", "docs")

NEW = {
    "brainlapse/networks/toy.py": """
from brainlapse.networks.interface import Autoencoder

class ToyAutoencoder(Autoencoder):
    def encode(self, volume):
        return volume[:, :, ::2, ::2, ::2], volume[:, :, ::2, ::2, ::2] - 10

    def decode(self, latent):
        for axis in (2, 3, 4):
            latent = latent.repeat_interleave(2, dim=axis)
        return latent
""",
    "brainlapse/aging/methods/toy.py": """
import numpy as np
from brainlapse.aging.methods.interface import Point

class Toy:
    def forecast(self, person, ages_years):
        return Point(np.tile(person.values[0].astype(float) + 1, (len(ages_years), 1)))

def fit(people, settings):
    return Toy()
""",
    "brainlapse/preprocessing/brain_mask/ways/toy.py": """
def find_toy(head):
    return head.volume > 0
""",
    "workflow/scripts/plot_toy.py": """
from brainlapse import runtime
from brainlapse.figures import style, tables
from brainlapse.figures.scans import cohort

def main(snakemake):
    runtime.start(snakemake)
    scans = tables.read(snakemake.input.scans, tables.SCANS)
    style.draw(snakemake.output.figure, cohort.plot_cohort, scans, dots_per_inch=50)

main(snakemake)
""",
    "workflow/report/toy.rst": "A toy.\n",
}
RULE = """

rule plot_toy:
    input:
        scans=results("cohort/scans.tsv"),
    output:
        figure=report(results("report/figures/toy.png"), caption="../report/toy.rst"),
    params:
        code=code_of("plot_toy"),
    script:
        "../scripts/plot_toy.py"
"""
BUILD_TOY = """
def _build_toy(settings: NetworkSettings, grid_shape: Shape) -> Autoencoder:
    from brainlapse.networks.toy import ToyAutoencoder

    return ToyAutoencoder(2)


FAMILIES: dict"""
IMPORT_WAY = "from brainlapse.preprocessing.brain_mask.ways.toy import find_toy\n"
TOY_TABLE = """
def toy_table(run: Run) -> Block:
    return blocks.table(pd.DataFrame({"toy": [42]}), empty="")


"""
EDITS = {
    "brainlapse/networks/autoencoders.py": [
        ("FAMILIES: dict", BUILD_TOY),
        ('"pca": _build_pca,', '"pca": _build_pca, "toy": _build_toy,'),
    ],
    "brainlapse/networks/settings.py": [('"pca"] = Field(', '"pca", "toy"] = Field(')],
    "brainlapse/aging/methods/named.py": [
        ("import (\n    bayes,", "import (\n    bayes, toy,"),
        ('"bayes": bayes.fit,', '"bayes": bayes.fit, "toy": toy.fit,'),
    ],
    "brainlapse/aging/settings.py": [("Method = Literal[", 'Method = Literal["toy", ')],
    "brainlapse/preprocessing/brain_mask/ways/registry.py": [
        ("WAYS: dict", IMPORT_WAY + "WAYS: dict"),
        ('"template": find_with_template,', '"template": find_with_template, "toy": find_toy,'),
    ],
    "brainlapse/preprocessing/brain_mask/settings.py": [
        ("Way = Literal[", 'Way = Literal["toy", ')
    ],
    "brainlapse/segmentation/synthseg/commands.py": [
        (
            '"native": _native,',
            '"native": _native, "toy": lambda _, settings: [settings.binary, "toy"],',
        ),
    ],
    "brainlapse/segmentation/settings.py": [("Backend = Literal[", 'Backend = Literal["toy", ')],
    "brainlapse/figures/page/report.py": [
        (
            "            summary_tiles(run),\n",
            "            summary_tiles(run), toy_table(run), run.figure('toy.png', 'a toy'),\n",
        ),
        ("def summary_tiles", TOY_TABLE + "def summary_tiles"),
    ],
    "workflow/rules/figures.smk": [("\nrule plot_quality:", RULE + "\n\nrule plot_quality:")],
    "workflow/rules/report.smk": [
        (
            'results("report/figures/cohort.png"),',
            'results("report/figures/cohort.png"), results("report/figures/toy.png"),',
        )
    ],
}

FAMILY = """
import torch
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.settings import NetworkSettings

model = build_autoencoder(NetworkSettings(family="toy"), (8, 8, 8))
assert model(torch.ones(1, 1, 8, 8, 8)).shape == (1, 1, 8, 8, 8)
"""
AGEING = """
import numpy as np, pandas as pd
from brainlapse.aging.forecast import forecast_latents
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.settings import AgingSettings

people = [("train", "sub-1"), ("train", "sub-2"), ("test", "sub-3")]
index = pd.DataFrame([
    {"dataset": "d", "subject": name, "session": f"ses-{k}", "scan": f"{name}_ses-{k}",
     "split": split, "age_years": 60.0 + k, "flagged": False}
    for split, name in people for k in (1, 2)
])
latents = np.arange(6, dtype=np.float32)[:, None, None, None, None]
settings = AgingSettings(methods=["toy"], scans_seen=[1])
plan = plan_forecasts(index, settings)
assert set(plan["method"]) == {"toy"}
assert forecast_latents(plan, latents, index, settings).ravel().tolist() == [5.0]
"""
MASK = """
from types import SimpleNamespace
import numpy as np
from brainlapse.preprocessing.brain_mask.masking import try_way
from brainlapse.preprocessing.brain_mask.settings import MaskSettings

assert MaskSettings(ways=["toy"]).ways == ("toy",)
volume = np.ones((120, 120, 120), dtype=np.float32)
head = SimpleNamespace(volume=volume, affine=np.eye(4), settings=MaskSettings())
judge = SimpleNamespace(judge=lambda mask: "judged")
trial = try_way("toy", head, judge)
assert trial.judgement == "judged" and trial.mask.all()
"""
BACKEND = """
import os
from pathlib import Path
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.settings import SegmentationSettings

settings = SegmentationSettings(backend="toy", binary=os.environ["PROGRAM"])
(found,) = segment_scans([Path(os.environ["SCAN"])], settings, 1)
assert found.volumes_mm3["brain"] > 0
"""
SHOWN = """
import os
from pathlib import Path
from brainlapse.figures.page.report import summary_section
from brainlapse.figures.page.sections import Run

run = Run(Path(os.environ["RESULTS"]), (), (), {"toy": "A toy."})
section = summary_section(run, {"segmentation": {"backend": "native", "weights": ""}})
assert any("42" in str(block) for block in section.blocks)
assert any("A toy." in str(block) for block in section.blocks if block["kind"] == "figure")
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the project with the toys in it."""
    copy = tmp_path_factory.mktemp("extended")
    for part in PARTS:
        source = ROOT / part
        take = shutil.copytree if source.is_dir() else shutil.copyfile
        take(source, copy / part)
    for name, content in NEW.items():
        (copy / name).write_text(content)
    for name, changes in EDITS.items():
        text = (copy / name).read_text()
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        (copy / name).write_text(text)
    return copy


def run_there(folder, code, **environment):
    command = [sys.executable, "-c", code]
    variables = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", **environment}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", [FAMILY, AGEING, MASK], ids=["family", "ageing", "mask"])
def test_a_toy_of_the_library_works_where_its_kind_is_used(extended, code):
    run_there(extended, code)


def test_a_toy_backend_segments(extended, tmp_path):
    program, scan = write_stand_in(tmp_path) / "good", write_scan(tmp_path / "scan.nii.gz")
    run_there(extended, BACKEND, PROGRAM=str(program), SCAN=str(scan))


def test_a_toy_in_the_report_is_planned_and_shown(extended, tmp_path):
    plan = run_snakemake(tmp_path, "-n", "results/report/figures/toy.png", source=extended).stdout
    assert "plot_toy" in planned_rules(plan)
    figure = tmp_path / "report/figures/toy.png"
    figure.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(figure)
    run_there(extended, SHOWN, RESULTS=str(tmp_path))


def test_the_page_names_the_files():
    page = (ROOT / "docs/extending.md").read_text()
    named = set(re.findall(r"`([\w/.]+\.(?:py|smk))`", page))
    short = {
        "/".join(Path(name).parts[-2:]) for name in [*NEW, *EDITS] if not name.endswith(".rst")
    }
    missing = {name for name in short if not any(one.endswith(name) for one in named)}
    assert missing == set()
