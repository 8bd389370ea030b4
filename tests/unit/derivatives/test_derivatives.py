"""Names that BIDS' own rules accept, and tables that load as they are."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formulas

from brainlapse.derivatives import build, dictionary, names, tables
from brainlapse.images import save_volume
from brainlapse.runtime import read_table
from tests.unit.figures import fake_run

VERSIONS = {"brainlapse": "1.2", "numpy": "2.0"}


@pytest.fixture(scope="module")
def bids_rules():
    schema = pytest.importorskip("bidsschematools.schema", reason="make test installs it")
    from bidsschematools.rules import regexify_filename_rules

    loaded = schema.load_schema()
    groups = (loaded.rules.files.common, loaded.rules.files.deriv)
    found = [rule for group in groups for rule in regexify_filename_rules(group, loaded, level=2)]
    return [re.compile(rule["regex"]) for rule in found]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    scans = fake_run.write_tables(root)
    fake_run.write_images(root, scans)
    for row in scans.to_dict("records"):
        folder = root / f"volumes/real/{row['dataset']}/{row['subject']}_labels"
        labels = np.zeros((4, 4, 4), np.uint8)
        save_volume(folder / f"{row['scan']}_space-MNI_dseg.nii.gz", labels, np.eye(4))
    return root


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    scans = read_table(root / "latents/sdae/index.tsv")
    scans["scan_path"] = [
        f"{r.dataset}/{r.subject}/{r.session}/{r.scan}" for r in scans.itertuples()
    ]
    forecasts = read_table(root / "aging/sdae/predictions.tsv").assign(seen_scans="a,b")
    volumes = read_table(root / "volumes/volumes.tsv").assign(native_volume_mm3=1.0)
    errors = read_table(root / "aging/sdae/errors.tsv")
    rates = planted_rates(scans)
    rebuilt = read_table(root / "autoencoder/sdae/reconstruction.tsv")
    sources = build.Sources(
        root,
        scans,
        volumes,
        rates,
        {"sdae": forecasts},
        {"sdae": rebuilt},
        {"forecasts_sdae": errors},
    )
    target = tmp_path_factory.mktemp("derivatives")
    build.build(sources, target, VERSIONS)
    return target


def planted_rates(scans):
    """Ventricles and third ventricle of everybody, growing by the number of the person."""
    people = scans[["dataset", "subject"]].drop_duplicates()
    number = people["subject"].str.extract(r"(\d+)")[0].astype(float)
    return pd.concat(
        people.assign(region=region, rate_pct_per_year=number, standard_error=0.5, visits=3)
        for region in ("ventricles", "3rd_ventricle")
    )


def accepted(rules, path):
    return any(rule.fullmatch(path) for rule in rules)


def test_every_name_is_one_that_bids_accepts(folder, bids_rules):
    for dataset in ("demo", "clinic"):
        place = folder / dataset
        paths = [str(p.relative_to(place)) for p in place.rglob("*") if not p.is_dir()]
        assert len(paths) > 100
        assert [path for path in paths if not accepted(bids_rules, path)] == []


def test_the_rules_refuse_what_is_no_name(bids_rules):
    for path in ("sub-01/anat/sub-01_to-MNI_xfm.mat", "volumes.tsv", "sub-01/sub-01_T1w.nii.gz"):
        assert not accepted(bids_rules, path)


def test_links_lead_to_images_and_images_have_sidecars(folder):
    images = sorted(folder.rglob("*.nii.gz"))
    assert len(images) > 36 * 5
    for image in images:
        assert image.is_symlink()
        assert image.is_file()
        sidecar = json.loads(image.with_name(image.name.replace(".nii.gz", ".json")).read_text())
        assert sidecar["Description"]
        if image.name.endswith("_T1w.nii.gz"):
            assert sidecar["SkullStripped"] is ("desc-n4" not in image.name)


def test_description_says_what_made_it(folder):
    content = json.loads((folder / "demo/dataset_description.json").read_text())
    assert content["DatasetType"] == "derivative"
    assert content["GeneratedBy"][0] == {"Name": "brainlapse", "Version": "1.2"}


def test_every_table_has_a_dictionary_of_exactly_its_columns(folder):
    found = sorted(folder.rglob("*.tsv"))
    assert len(found) > 20
    for table in found:
        if table.name.endswith("_dseg.tsv"):
            continue
        content = json.loads(table.with_suffix(".json").read_text())
        assert set(content) == set(pd.read_csv(table, sep="\t").columns), table


def test_wide_table_holds_the_planted_volumes_and_fits_a_mixed_model(folder, root):
    wide = pd.read_csv(folder / "demo/phenotype/volumes.tsv", sep="\t")
    assert all(name.isidentifier() for name in wide.columns)
    source = read_table(root / "volumes/volumes.tsv")
    one = source[(source["kind"] == "real") & (source["region"] == "ventricles")]
    one = one.set_index("scan")["volume_mm3"]
    assert wide["ventricles"].to_numpy() == pytest.approx(one[wide["scan"]].to_numpy())
    model = formulas.mixedlm("ventricles ~ age_years", wide, groups="participant_id").fit()
    planted = 0.03 * fake_run.REGIONS["ventricles"]
    assert model.params["age_years"] == pytest.approx(planted, rel=0.15)


def test_rates_come_wide_and_long(folder):
    wide = pd.read_csv(folder / "demo/phenotype/rates.tsv", sep="\t")
    assert all(name.isidentifier() for name in wide.columns)
    number = wide["participant_id"].str.extract(r"(\d+)")[0].astype(float)
    assert wide["ventricles"].tolist() == number.tolist() == wide["third_ventricle"].tolist()
    assert wide["diagnosis"].notna().any()
    long = pd.read_csv(folder / "demo/phenotype/rates_long.tsv", sep="\t")
    assert len(long) == 2 * len(wide)


def test_nothing_of_this_machine_is_in_the_tables(folder):
    for table in folder.rglob("*.tsv"):
        assert "/data/" not in table.read_text(), table


@pytest.mark.parametrize(
    ("words", "label"),
    [("s2d_population_rate_seen_1", "s2dPopulationRateSeen1"), ("kl-small", "klSmall")],
)
def test_labels_are_letters_and_digits(words, label):
    assert names.label(words) == label


def test_age_stands_with_the_participants_where_nobody_has_sessions():
    scans = fake_run.fake_scans(3, 1).assign(session=None)
    assert "age_years" in tables.participants(scans)
    assert tables.sessions(scans) == {}


def test_families_of_columns_are_described():
    assert dictionary.describe("pc12")["Description"].startswith("score on a principal")
    assert dictionary.describe("psnr_db_mean")["Units"] == "dB"
    assert dictionary.describe("left_hippocampus")["Units"] == "mm3"
    assert dictionary.describe("handedness")["Description"].startswith("as in the participants")
