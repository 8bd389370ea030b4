"""The job writes whole tables, with and without enough controls."""

import pandas as pd
import pytest

from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.analysis.norms.tables import CURVE_COLUMNS, SCORE_COLUMNS
from brainlapse.cohort.columns import SCAN_COLUMNS
from brainlapse.runtime import read_table, write_table
from brainlapse.segmentation.columns import VOLUME_COLUMNS
from tests.unit.analysis.norms.cohorts import draw
from tests.unit.figures.run_scripts import run_script

OUTPUTS = {"curves": "norms.tsv", "fits": "norm_fits.tsv", "scores": "norm_scores.tsv"}


@pytest.mark.parametrize(("people", "rows"), [(30, 30 * 2 * 2), (29, 0)])
def test_fit_norms(tmp_path, people, rows):
    volumes, scans, quality = draw(people)
    columns = {"volumes": VOLUME_COLUMNS, "scans": SCAN_COLUMNS, "quality": list(quality)}
    inputs = {name: tmp_path / f"{name}.tsv" for name in columns}
    for table, (name, path) in zip((volumes, scans, quality), inputs.items(), strict=True):
        write_table(path, table.reindex(columns=columns[name]))
    outputs = {name: tmp_path / "analysis" / file for name, file in OUTPUTS.items()}
    outputs["pcntoolkit"] = tmp_path / "analysis/norms_pcntoolkit.csv"
    settings = NormSettings().model_dump(mode="json")
    run_script("fit_norms", input=inputs, output=outputs, params={"settings": settings})
    assert len(read_table(outputs["scores"], SCORE_COLUMNS)) == rows
    assert (len(read_table(outputs["curves"], CURVE_COLUMNS)) > 0) == bool(rows)
    assert read_table(outputs["fits"])["note"].notna().all() == (not rows)
    assert len(pd.read_csv(outputs["pcntoolkit"])) == people
