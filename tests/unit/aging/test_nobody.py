"""A cohort with nobody to forecast: the jobs that gather leave tables with headers only."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from brainlapse.aging.evaluation.images import IMAGE_ERROR_COLUMNS, IMAGE_SUMMARY_COLUMNS
from brainlapse.aging.plan import FORECAST_COLUMNS, LATENT_ERRORS
from brainlapse.runtime import read_table

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"


class Outputs(dict):
    """Named outputs, reached as items and as attributes."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("gather_forecasts", {"predictions": [*FORECAST_COLUMNS, *LATENT_ERRORS]}),
        (
            "summarise_forecast_images",
            {"errors": IMAGE_ERROR_COLUMNS, "summary": IMAGE_SUMMARY_COLUMNS},
        ),
    ],
)
def test_no_tables_give_tables_without_rows(tmp_path, script, expected):
    outputs = Outputs({name: str(tmp_path / f"{name}.tsv") for name in expected})
    job = SimpleNamespace(input=SimpleNamespace(tables=[]), output=outputs, log=[], threads=1)
    runpy.run_path(str(SCRIPTS / f"{script}.py"), init_globals={"snakemake": job})
    for name, columns in expected.items():
        found = read_table(outputs[name])
        assert found.empty
        assert list(found) == columns
