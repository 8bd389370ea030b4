import numpy as np
import pytest

from brainlapse.images import save_volume
from brainlapse.preprocessing.longitudinal.aligned import AlignedVisits, with_roots
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.registration.transforms import write_world_transform
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.runtime import write_json
from brainlapse.space import grid_at

GRID = grid_at(4.0, (44, 54, 46))


def write(folder, visit, transform, gain=1.0, root=None):
    """Write the files of a visit that is `gain` times as bright as the one that it joined."""
    stem = folder / visit.scan
    files = VisitFiles.at(visit.scan, str(stem), f"{stem}_xfm.mat")
    save_volume(files.corrected, visit.volume, visit.affine)
    save_volume(files.mask, visit.mask, visit.affine, dtype=np.uint8)
    write_world_transform(files.transform, transform)
    field = np.full(FIELD_GRID.shape, np.log(gain), np.float32)
    save_volume(files.field, field, FIELD_GRID.affine)
    write_json(files.quality, {"numbers": {}} | ({"visit": {"root": root}} if root else {}))
    return files


@pytest.fixture
def pair(tmp_path, first, second, motion):
    """A first visit and one that joined it, twice as bright, elsewhere."""
    write(tmp_path, first, first.transform)
    write(tmp_path, second, motion, gain=2.0, root=first.scan)
    names = [first.scan, second.scan]
    stems = [str(tmp_path / name) for name in names]
    return {
        name: VisitFiles.at(name, stem, f"{stem}_xfm.mat")
        for name, stem in zip(names, stems, strict=True)
    }


def test_visits_share_mask_and_scale(pair, first, second):
    found = list(with_roots([first.scan, second.scan], pair))
    assert [(visit.scan, root.scan) for visit, root in found] == [
        (first.scan, first.scan),
        (second.scan, first.scan),
    ]
    aligned = AlignedVisits(GRID, ResamplingSettings(), IntensitySettings())
    brains = [aligned.brain(visit, root) for visit, root in found]
    inside = brains[0] > 0
    np.testing.assert_array_equal(brains[1] > 0, inside)
    difference = brains[1][inside] - brains[0][inside]
    assert abs(np.median(difference)) < 0.005
    assert np.corrcoef(brains[0][inside], brains[1][inside])[0, 1] > 0.99


def test_a_later_visit_changes_nothing_of_the_first(pair, first):
    aligned = AlignedVisits(GRID, ResamplingSettings(), IntensitySettings())
    visits = [pair[first.scan]] * 2
    before = aligned.brain(*visits)
    for visit, root in with_roots(list(pair), pair):
        aligned.brain(visit, root)
    np.testing.assert_array_equal(aligned.brain(*visits), before)
