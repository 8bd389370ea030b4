"""The command line of the embedded network, with a stand-in for the network.

Scans are painted in class numbers, which the stand-in reads back: labels and volumes are planted.
"""

import logging
import runpy
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlapse import runtime
from brainlapse.images import load_volume, resample_to_grid, save_volume
from brainlapse.rejection import ScanRejected
from brainlapse.segmentation.classes import CLASSES
from brainlapse.segmentation.embedded import command, heads, placing
from brainlapse.segmentation.embedded import network as embedded
from brainlapse.segmentation.embedded.command import (
    main,
    write_volumes,
)
from brainlapse.segmentation.embedded.placing import PlacedBrain
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmentation.labels import CSV_HEADER, STRUCTURES
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg.gates import check_volumes, read_volumes
from brainlapse.space import grid_at
from tests.unit.segmentation.planted import CLASS_OF, posteriors_of, world_of, write_lists

GRID = grid_at(4.0, (44, 52, 44))
TO_SCAN = np.diag([0.9, 0.8, 1.0, 1.0])  # MNI mm to scan mm
BOX_MM = {17: ((-40, -41, -19), (-12, -9, 9)), 53: ((12, -41, -19), (40, -17, 9))}
"""Hippocampi as boxes in MNI mm; their edges lie midway between voxels."""


def box_mm3(label):
    low, high = map(np.array, BOX_MM[label])
    return float(np.prod(high - low))


def painted(grid, from_mni):
    """Scan whose intensities are class numbers: white matter, in it both boxes, air around."""
    points = world_of(grid)
    in_mni = np.linalg.inv(from_mni[:3, :3]) @ points.reshape(3, -1)
    in_mni = in_mni.reshape(points.shape)
    centre = np.reshape((0, -17, 5), (3, 1, 1, 1))
    volume = np.where(np.linalg.norm(in_mni - centre, axis=0) < 68, CLASS_OF[2], 0)
    for label, (low, high) in BOX_MM.items():
        inside = [(in_mni[n] > low[n]) & (in_mni[n] < high[n]) for n in range(3)]
        volume[np.logical_and.reduce(inside)] = CLASS_OF[label]
    return volume.astype(np.float32)


def write_scan(path, sizes_mm=(2.0, 2.0, 2.0), from_mni=TO_SCAN):
    grid = grid_at(1.0, (160, 176, 160))
    affine = grid.affine @ np.diag([-sizes_mm[0], *sizes_mm[1:], 1.0])  # stored right to left
    affine[0, 3] = 80.0 - sizes_mm[0] / 2
    shape = tuple(round(n / size) for n, size in zip(grid.shape, sizes_mm, strict=True))
    grid = type(grid)(shape, affine)
    save_volume(path, painted(grid, from_mni), affine)
    return grid


def place(volume, affine):
    """Stand-in for the registration: the pose is known."""
    if volume.max() > 100:
        message = "Expected a head, found something else."
        raise ScanRejected(message)
    if not volume.any():
        message = "expected a brain, found a body of 0 ml"
        raise ImplausibleImage(message)
    placed = resample_to_grid(volume, affine, GRID, TO_SCAN, order=0)
    return PlacedBrain(placed, placed > 0, TO_SCAN)


def read_classes(volume, mask, network, fast, scaled):
    assert network == ("network", False)
    classes = np.round(volume).astype(int) * mask
    shares = np.eye(CLASSES, dtype=np.float32)[classes].transpose(3, 0, 1, 2)
    right = (world_of(GRID)[0] > 0).astype(np.float32)
    return posteriors_of(np.ascontiguousarray(shares), right, GRID)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """A small grid, no network, and no lasting changes to the tests' process."""
    monkeypatch.setattr(placing, "GRID", GRID)
    monkeypatch.setattr(command, "GRID", GRID)
    monkeypatch.setattr(command, "load_network", lambda weights, cpu: ("network", cpu))
    monkeypatch.setattr(command, "segment_brain", read_classes)
    monkeypatch.setattr(heads, "place_scan", place)
    calls = []
    monkeypatch.setattr(runtime, "keep_memory", lambda: calls.append("keep_memory"))
    monkeypatch.setattr(runtime, "limit_threads", lambda threads: calls.append(threads))
    return calls


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read_rows(path):
    header, *rows = [line.split(",") for line in Path(path).read_text().splitlines()]
    assert tuple(header) == CSV_HEADER
    return {row[0]: dict(zip(header[1:], map(float, row[1:]), strict=True)) for row in rows}


def test_table_is_synthsegs(tmp_path):
    volumes = {name: 20000 + label / 7 for name, label in STRUCTURES.items()}
    write_volumes(tmp_path / "v.csv", [("head.nii.gz", volumes)])
    lines = (tmp_path / "v.csv").read_text().split("\n")
    assert lines[0] == ",".join(CSV_HEADER)
    cells = lines[1].split(",")
    assert cells[0] == "head"
    assert cells[1] == f"{sum(volumes.values()):.3f}"
    assert cells[2] == "20000.286"
    assert lines[2:] == [""]
    read = read_volumes(tmp_path / "v.csv")
    assert list(read) == list(CSV_HEADER[1:])
    for name, value in volumes.items():
        assert read[name] == pytest.approx(value, abs=5e-4)
    check_volumes(read, SegmentationSettings())


def test_one_scan_gives_labels_and_native_volumes(tmp_path, surroundings):
    """The affine scales by 0.72 from MNI to the scan; the volumes are the scan's."""
    write_scan(tmp_path / "head.nii.gz")
    code = run("--i", tmp_path / "head.nii.gz", "--o", tmp_path / "l.nii.gz", "--vol",
               tmp_path / "v.csv", "--threads", 2)  # fmt: skip
    assert code == 0
    assert surroundings == ["keep_memory", 2]
    volumes = read_volumes(tmp_path / "v.csv")
    for name, label in (("left hippocampus", 17), ("right hippocampus", 53)):
        assert volumes[name] == pytest.approx(0.72 * box_mm3(label), rel=1e-4)
    labels, affine = load_volume(tmp_path / "l.nii.gz")
    voxel_mm3 = abs(np.linalg.det(affine[:3, :3]))
    grid = grid_at(1.0, labels.shape)
    x = world_of(type(grid)(labels.shape, affine))[0]
    for label, side in ((17, -1), (53, 1)):
        there = labels == label
        assert there.sum() * voxel_mm3 == pytest.approx(0.72 * box_mm3(label), rel=0.12)
        assert x[there].mean() == pytest.approx(side * 26 * 0.9, abs=0.5)


@pytest.mark.parametrize("keep", [True, False])
def test_keepgeom_keeps_the_scans_grid(tmp_path, keep):
    grid = write_scan(tmp_path / "head.nii", sizes_mm=(2.0, 2.5, 2.0))
    options = ["--keepgeom"] if keep else []
    assert run("--i", tmp_path / "head.nii", "--o", tmp_path / "l.nii.gz", *options) == 0
    image = nib.load(tmp_path / "l.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
    if keep:
        assert image.shape == grid.shape
        assert image.affine == pytest.approx(grid.affine)
    else:
        assert image.shape == (160, 175, 160)  # 70 voxels of 2.5 mm are 175 mm
        assert image.header.get_zooms() == pytest.approx((1, 1, 1))


def test_mni_takes_the_scan_as_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(heads, "place_scan", None)  # not called
    write_scan(tmp_path / "head.nii", from_mni=np.eye(4))
    options = ["--vol", tmp_path / "v.csv", "--mni"]
    assert run("--i", tmp_path / "head.nii", "--o", tmp_path, *options) == 0
    volumes = read_volumes(tmp_path / "v.csv")
    for name, label in (("left hippocampus", 17), ("right hippocampus", 53)):
        assert volumes[name] == pytest.approx(box_mm3(label), rel=1e-4)
    assert (tmp_path / "head_synthseg.nii.gz").is_file()


def test_fast_and_cpu_reach_the_network(tmp_path, monkeypatch):
    seen = []

    def note(volume, mask, network, fast, scaled):
        seen.append((network, fast))
        return read_classes(volume, mask, ("network", False), fast, scaled)

    monkeypatch.setattr(command, "segment_brain", note)
    write_scan(tmp_path / "head.nii")
    for options in ([], ["--fast", "--cpu"]):
        assert run("--i", tmp_path / "head.nii", "--o", tmp_path, *options) == 0
    assert seen == [(("network", False), False), (("network", True), True)]


def test_broken_scans_of_a_folder_stop_no_other(tmp_path, messages):
    scans, out = tmp_path / "in", tmp_path / "out"
    scans.mkdir()
    write_scan(scans / "a.nii.gz")
    (scans / "b.nii.gz").write_bytes((scans / "a.nii.gz").read_bytes()[:-500])  # cut off
    save_volume(scans / "c.nii.gz", np.full((9, 9, 9), 500.0, np.float32), np.eye(4))
    save_volume(scans / "d.nii.gz", np.zeros((9, 9, 9), np.float32), np.eye(4))
    write_scan(scans / "e.nii.gz")
    assert run("--i", scans, "--o", out, "--vol", tmp_path / "v.csv") == 1
    rows = read_rows(tmp_path / "v.csv")
    assert list(rows) == ["a", "e"]
    assert rows["a"] == rows["e"]
    assert rows["a"]["left hippocampus"] == pytest.approx(0.72 * box_mm3(17), rel=1e-4)
    assert sorted(path.name for path in out.iterdir()) == [
        "a_synthseg.nii.gz",
        "e_synthseg.nii.gz",
    ]
    errors = [r.getMessage() for r in messages.records if r.levelno == logging.ERROR]
    assert len(errors) == 4
    for name, error in zip("bcd", errors, strict=False):
        assert error.startswith(f"{scans / name}.nii.gz: ")
        assert error.count(str(scans)) == 1
    assert errors[-1] == "3 of 5 scans could not be segmented"


def test_lists_give_every_scan_its_own_table(tmp_path):
    write_scan(tmp_path / "a.nii.gz")
    write_lists(tmp_path, i=[str(tmp_path / "a.nii.gz")] * 2,
                o=[str(tmp_path / f"out/{n}.nii.gz") for n in (1, 2)],
                v=[str(tmp_path / f"out/{n}.csv") for n in (1, 2)])  # fmt: skip
    arguments = [part for n in "iov" for part in (f"--{n}", tmp_path / f"{n}.txt")]
    arguments[4] = "--vol"
    assert run(*arguments) == 0
    for n in (1, 2):
        assert list(read_rows(tmp_path / f"out/{n}.csv")) == ["a"]
        assert (tmp_path / f"out/{n}.nii.gz").is_file()


def test_a_scan_missing_from_disk_stops_no_other(tmp_path):
    write_scan(tmp_path / "a.nii.gz")
    write_lists(tmp_path, i=[str(tmp_path / "gone.nii.gz"), str(tmp_path / "a.nii.gz")],
                o=[str(tmp_path / "1.nii.gz"), str(tmp_path / "2.nii.gz")])  # fmt: skip
    assert run("--i", tmp_path / "i.txt", "--o", tmp_path / "o.txt") == 1
    assert not (tmp_path / "1.nii.gz").exists()
    assert (tmp_path / "2.nii.gz").is_file()


def test_the_module_runs_and_hands_on_the_exit_code(tmp_path, monkeypatch):
    arguments = ["--i", str(tmp_path / "absent.nii"), "--o", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["segmentation", *arguments])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("brainlapse.segmentation", run_name="__main__")
    assert stopped.value.code == 2


def test_an_mni_image_without_a_brain_has_volumes_of_zero(tmp_path, messages):
    """The pipeline asks for lists: one decoded image that is no brain must not fail the others."""
    save_volume(tmp_path / "grey.nii.gz", np.zeros((20, 20, 20), np.float32), np.eye(4))
    target, table = tmp_path / "l.nii.gz", tmp_path / "v.csv"
    assert run("--mni", "--i", tmp_path / "grey.nii.gz", "--o", target, "--vol", table) == 0
    assert "expected a brain, found a body of 0 ml; its volumes are 0" in messages.text
    assert set(read_rows(table)["grey"].values()) == {0.0}
    assert not load_volume(target)[0].any()


def test_missing_weights_are_one_sentence(tmp_path, monkeypatch, messages):
    monkeypatch.setattr(command, "load_network", embedded.load_network)
    save_volume(tmp_path / "a.nii.gz", np.zeros((20, 20, 20), np.float32), np.eye(4))
    arguments = ("--i", tmp_path / "a.nii.gz", "--o", tmp_path / "l.nii.gz")
    assert run(*arguments, "--weights", tmp_path / "none.safetensors") == 2
    assert "none.safetensors: expected the segmenter's weights, found none" in messages.text
