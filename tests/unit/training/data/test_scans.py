"""Training volumes: reading, the memory map, orders."""

import numpy as np
import pytest

from brainlapse.images import save_volume
from brainlapse.training.data import scans as data


@pytest.fixture
def selection(tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for number, split in enumerate(["train", "validation", "train"]):
        path = tmp_path / f"sub-{number}.nii.gz"
        save_volume(path, random.random((8, 10, 8)).astype(np.float32), np.eye(4))
        rows.append(["made", f"sub-{number}", split, str(path)])
    return rows


def test_scans_come_by_split(selection, tmp_path):
    found = data.load_training_data(selection, (8, 10, 8), 2.0, tmp_path)
    assert found.train.names == ("made/sub-0", "made/sub-2")
    assert found.validation.volumes.shape == (1, 8, 10, 8)


def test_a_large_cohort_is_mapped_and_equal(selection, tmp_path, monkeypatch):
    held = data.load_training_data(selection, (8, 10, 8), 2.0, tmp_path)
    monkeypatch.setattr(data, "MEMORY_LIMIT_BYTES", 100)
    mapped = data.load_training_data(selection, (8, 10, 8), 2.0, tmp_path)
    assert isinstance(mapped.train.volumes, np.memmap)
    np.testing.assert_array_equal(mapped.train.volumes, held.train.volumes)


@pytest.mark.parametrize("damage", [b"", b"<html>", None])
def test_a_damaged_map_is_written_again(selection, tmp_path, monkeypatch, damage):
    monkeypatch.setattr(data, "MEMORY_LIMIT_BYTES", 100)
    first = data.load_training_data(selection, (8, 10, 8), 2.0, tmp_path).train.volumes.copy()
    path = tmp_path / "train.npy"
    path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    again = data.load_training_data(selection, (8, 10, 8), 2.0, tmp_path).train.volumes
    np.testing.assert_array_equal(again, first)


def test_another_grid_is_refused(selection, tmp_path):
    with pytest.raises(ValueError, match=r"sub-0.*\(8, 8, 8\).*\(8, 10, 8\)"):
        data.load_training_data(selection, (8, 8, 8), 2.0, tmp_path)


def test_no_training_scan_is_an_error(selection, tmp_path):
    with pytest.raises(ValueError, match="at least one training scan"):
        data.load_training_data(selection[1:2], (8, 10, 8), 2.0, tmp_path)


def test_every_epoch_has_its_own_whole_order():
    first, second = data.epoch_order(20, 0, 0), data.epoch_order(20, 0, 1)
    assert sorted(first) == sorted(second) == list(range(20))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, data.epoch_order(20, 0, 0))
