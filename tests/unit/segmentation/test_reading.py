"""volumes.tsv is read whole, and for the images that the run planned, or not at all."""

import pandas as pd
import pytest

from brainlapse.damage import DamagedFile
from brainlapse.runtime import write_table
from brainlapse.segmentation.reading import read_volumes
from brainlapse.segmentation.volumes import VOLUME_COLUMNS

SCANS = pd.DataFrame({"dataset": "d", "subject": "sub-1", "scan": ["sub-1_1", "sub-1_2"]})
FORECASTS = SCANS.tail(1).assign(method="linear", n_scans_seen=1, n_scans_so_far=1)
STEPS = pd.DataFrame(
    {"dataset": "d", "subject": "sub-1", "method": "latents", "alpha": [0.0, 0.25, 1.0]}
)
REGIONS = pd.DataFrame({"region": ["ventricles", "hippocampus", "brain"], "volume_mm3": 5.0})


@pytest.fixture
def table():
    images = [
        SCANS.assign(kind="real"),
        SCANS.assign(kind="reconstructed", model="m"),
        FORECASTS.assign(kind="predicted", model="m"),
        STEPS.assign(kind="interpolated", model="m"),
        SCANS.head(1).assign(kind="reconstructed", model="other"),
    ]
    table = pd.concat(images, ignore_index=True).merge(REGIONS, how="cross")
    return table.reindex(columns=VOLUME_COLUMNS)


def read(folder, table):
    write_table(folder / "volumes.tsv", table)
    return read_volumes(
        folder / "volumes.tsv", ("index.tsv", SCANS), "m", ("p.tsv", FORECASTS), ("i.tsv", STEPS)
    )


def test_a_whole_table_is_read(tmp_path, table):
    assert len(read(tmp_path, table)) == len(table)


@pytest.mark.parametrize("kind", ["real", "reconstructed", "predicted", "interpolated"])
def test_a_missing_image_of_any_kind_is_named(tmp_path, table, kind):
    image = table[(table["kind"] == kind) & (table["model"] != "other")].tail(3)
    with pytest.raises(DamagedFile, match=r"volumes.tsv: damaged \(1 images missing that") as error:
        read(tmp_path, table.drop(image.index))
    assert image["scan"].fillna("1").iloc[0] in str(error.value)


def test_reconstructions_of_training_scans_are_there_all_or_not_at_all(tmp_path, table):
    held_out, training = ("sub-1_2", "sub-1_1")
    split = SCANS.assign(split=["train", "test"])
    made = (table["kind"] == "reconstructed") & (table["model"] == "m")
    listed = ("index.tsv", split)
    path = tmp_path / "volumes.tsv"

    write_table(path, table[~(made & (table["scan"] == training))])
    assert len(read_volumes(path, listed, "m")) == len(table) - 3
    write_table(path, table[~(made & (table["scan"] == held_out))])
    with pytest.raises(DamagedFile, match=held_out):
        read_volumes(path, listed, "m")


def test_a_row_too_few_is_damage(tmp_path, table):
    for row in (0, len(table) - 1):
        with pytest.raises(DamagedFile, match="not all regions of"):
            read(tmp_path, table.drop(row))


@pytest.mark.parametrize("share", [0.4, 0.7, 0.85])
def test_a_table_that_was_cut_between_lines_is_damage(tmp_path, table, share):
    with pytest.raises(DamagedFile):
        read(tmp_path, table.head(int(share * len(table))))


def test_the_plan_may_be_the_damaged_one(tmp_path, table):
    write_table(tmp_path / "volumes.tsv", table)
    with pytest.raises(DamagedFile, match=r"index.tsv: damaged \(1 images missing that"):
        read_volumes(tmp_path / "volumes.tsv", ("index.tsv", SCANS.head(1)))
