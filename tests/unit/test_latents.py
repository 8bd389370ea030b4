"""Latents and their index on disk."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.damage import DamagedFile
from brainlapse.latents import (
    gather_latents,
    read_blocks,
    read_latents,
    reconstructed_file,
    write_latents,
)
from brainlapse.runtime import read_table, write_table


@pytest.fixture
def index():
    return pd.DataFrame(
        {
            "dataset": "demo",
            "subject": ["sub-01", "sub-01", "sub-02"],
            "session": ["ses-1", "ses-2", None],
            "scan": ["sub-01_ses-1", "sub-01_ses-2", "sub-02"],
            "path": "/raw/secret.nii.gz",
            "age_years": [70.5, 72.0, None],
        }
    )


def write(folder, mean, index):
    write_latents(folder / "latents.npz", folder / "index.tsv", mean, -mean, index)


def test_round_trip(tmp_path, index):
    mean = np.random.default_rng(0).normal(size=(3, 4, 2, 2, 2)).astype(np.float32)
    write(tmp_path, mean, index)
    found, table = read_latents(tmp_path)
    np.testing.assert_array_equal(found, mean)
    assert found.dtype == np.float32
    expected = index.drop(columns="path").fillna(np.nan)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


@pytest.fixture
def blocks(tmp_path, index):
    """Folders of two blocks, whose scans are in another order, and all means."""
    mean = np.random.default_rng(0).normal(size=(3, 4, 2, 2, 2)).astype(np.float32)
    parts = {"blocks/d/train-0": [2], "blocks/d/block-0": [1, 0]}
    for block, chosen in parts.items():
        write(tmp_path / block, mean[chosen], index.iloc[chosen])
    return [tmp_path / block for block in parts], mean


def test_blocks_are_read_one_after_the_other(blocks):
    folders, mean = blocks
    found, table = read_blocks(folders)
    np.testing.assert_array_equal(found, mean[[2, 1, 0]])
    assert table["scan"].tolist() == ["sub-02", "sub-01_ses-2", "sub-01_ses-1"]
    assert [len(part) for part in read_blocks([])] == [0, 0]


def test_blocks_are_gathered_in_the_order_of_the_cohort(blocks, index):
    folders, mean = blocks
    found, log_variance = gather_latents(folders, index)
    np.testing.assert_array_equal(found, mean)
    np.testing.assert_array_equal(log_variance, -mean)
    with pytest.raises(DamagedFile, match=r"blocks: damaged \(1 of 3 scans missing: .*sub-02"):
        gather_latents(folders[1:], index)
    with pytest.raises(DamagedFile, match=r"1 scans that aren't of this run: .*sub-02"):
        gather_latents(folders, index.head(2))


def test_codes_of_groups_are_text_whoever_else_is_in_the_table(tmp_path):
    """A block where somebody's code is missing must not call the others 1.0."""
    scans = pd.DataFrame({"scan": ["a", "b"], "sex": ["1", None], "diagnosis": ["01", None]})
    for rows in (scans, scans.head(1)):
        write_table(tmp_path / "index.tsv", rows)
        read = read_table(tmp_path / "index.tsv")
        assert read.loc[0, ["sex", "diagnosis"]].tolist() == ["1", "01"]
        assert read["sex"].isna().tolist() == rows["sex"].isna().tolist()


def test_equal_latents_give_equal_bytes(tmp_path, index):
    mean = np.ones((3, 4, 1, 1, 1), dtype=np.float32)
    write(tmp_path, mean, index)
    first = (tmp_path / "latents.npz").read_bytes()
    write(tmp_path, mean, index)
    assert (tmp_path / "latents.npz").read_bytes() == first


def test_rows_that_do_not_match_are_refused(tmp_path, index):
    with pytest.raises(ValueError, match="3 rows"):
        write(tmp_path, np.ones((2, 4, 1, 1, 1)), index)
    with pytest.raises(ValueError, match="every scan once"):
        write(tmp_path, np.ones((3, 4, 1, 1, 1)), index.assign(scan="sub-01"))


def test_reconstructions_are_named_after_their_scans():
    assert reconstructed_file("d/sub-3/sub-3").startswith("sub-3/sub-3_space-MNI")
