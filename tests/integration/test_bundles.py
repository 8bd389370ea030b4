"""A model from a bundle takes scans to the report in a run that trains nothing."""

import numpy as np
import pytest
import yaml

from brainlapse.bundle.export import Request, export_bundle
from brainlapse.bundle.reading import read_bundle
from brainlapse.latents import read_latents
from brainlapse.runtime import read_table
from tests.integration.cohorts import some_of

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_run_of_nothing_but_foreign_scans_reaches_its_report(
    finished_run, heads, snakemake, tmp_path
):
    bundle = tmp_path / "small.zip"
    export_bundle(Request(finished_run.results, "small"), bundle)
    config = yaml.safe_load(finished_run.config.read_text())
    mine = some_of(heads, {"sub-01": "n/a", "sub-08": "n/a"}, 2, tmp_path / "mine")
    config |= {
        "datasets": {"mine": {"bids": mine, "role": "apply"}},
        "autoencoders": {"small": {"bundle": str(bundle)}},
        "report": {"repeated_scans": 0},
        "seed": 3,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    snakemake(tmp_path, "--cores", 2, "--configfile", path)

    results = tmp_path / "results"
    forecasts = read_table(results / "aging/small/predictions.tsv")
    assert forecasts["n_scans_seen"].eq(1).all()  # of rates that nobody here tells
    assert set(forecasts["method"]) == {"population_rate"}
    assert (results / "report/index.html").is_file()
    latents, index = read_latents(results / "latents/small")
    assert set(index["split"]) == {"apply"}
    scores = read_table(results / "analysis/small/pca.tsv").set_index("scan")
    components = read_bundle(bundle).components
    expected = components.project(latents)[:, 0]
    np.testing.assert_allclose(scores.loc[index["scan"], "pc1"], expected, rtol=1e-3, atol=1e-3)

    asked = tmp_path / "asked.tsv"
    asked.write_text("subject\tage_years\nsub-01\t99\n")
    path.write_text(yaml.safe_dump(config | {"predict": {"requests": str(asked)}}))
    snakemake(tmp_path, "predict", "--cores", 2, "--configfile", path)
    plan = read_table(results / "predict/small/predictions.tsv")
    assert plan["method"].tolist() == ["population_rate"]
    assert (results / "predict/small/images" / plan["file"].iloc[0]).is_file()
