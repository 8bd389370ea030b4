"""The campaign of faults: short representatives of its parts, and whether it sees what is wrong."""

import random
from types import SimpleNamespace

import pytest

from benchmarks.faults import damage, datasets, kills, programs, runs, shortage, tables
from benchmarks.faults.reference import Reference
from benchmarks.faults.trials import STUCK, SURVIVED, UNCLEAR, WRONG, Trial, summarise
from brainlapse.programs import ProgramFailed

CHEAP = {"header": datasets.headers, "table": tables.tables, "program": programs.programs}


@pytest.mark.parametrize("part", CHEAP)
def test_representatives_survive(tmp_path, part):
    trials = list(CHEAP[part](None, tmp_path / part, random.Random(part), 1))
    assert len(trials) >= 3
    assert [trial for trial in trials if trial.verdict != SURVIVED] == []


def test_the_same_seed_plants_the_same(tmp_path):
    good = datasets.image(1).to_bytes()
    odd = [datasets.odd_header(good, random.Random(seed)) for seed in (3, 3, 4)]
    assert odd[0] == odd[1] != odd[2]


def test_a_scan_read_with_other_voxels_is_silently_wrong(tmp_path, monkeypatch):
    found = SimpleNamespace(sha256="another", notes=())
    path = tmp_path / "a.nii.gz"
    path.write_bytes(datasets.packed(1))
    monkeypatch.setattr(datasets, "check_scan", lambda *_: found)
    assert datasets.of_header(path, None)[0] == WRONG
    assert datasets.of_header(path, "expected")[0] == WRONG


def test_a_table_read_wrongly_is_silently_wrong(tmp_path, monkeypatch):
    swapped = {"sub-00": 31.0, "sub-01": 30.0}
    rows = [SimpleNamespace(subject=key, age_years=age, note=None) for key, age in swapped.items()]
    cohort = SimpleNamespace(scans=SimpleNamespace(itertuples=lambda: rows))
    monkeypatch.setattr(tables, "build_cohort", lambda *_, **__: cohort)
    assert tables.of_table(tmp_path, {"sub-00": 30.0, "sub-01": 31.0})[0] == WRONG


@pytest.mark.parametrize(
    ("error", "verdict"), [(ProgramFailed("x"), WRONG), (KeyError("x"), UNCLEAR), (None, SURVIVED)]
)
def test_programs_are_judged_by_what_was_told(tmp_path, monkeypatch, error, verdict):
    def run_program(*_):
        if error:
            raise error

    monkeypatch.setattr(programs, "run_program", run_program)
    assert programs.attempt(tmp_path, "", ends_well=True)[0] == verdict


@pytest.fixture
def reference(tmp_path):
    """A finished run of two results."""
    place = runs.Place(tmp_path / "undisturbed", {"seed": 1})
    place.results.mkdir(parents=True)
    (place.results / "a.tsv").write_text("a\n1\n")
    (place.results / "b.json").write_text("{}\n")
    return Reference(place)


@pytest.mark.parametrize(
    ("ends", "change", "verdict"),
    [
        ((0,), None, SURVIVED),
        ((0,), "a\n2\n", WRONG),
        ((None,), None, STUCK),
        ((1,), None, STUCK),
    ],
)
def test_a_run_is_judged_by_its_end_and_its_results(
    reference, tmp_path, monkeypatch, ends, change, verdict
):
    place = reference.copy_to(tmp_path / "trial")
    if change:
        (place.results / "a.tsv").write_text(change)
    codes = iter(ends)
    monkeypatch.setattr(runs.Place, "run", lambda *_: runs.Ended(next(codes), ""))
    assert reference.judge(place)[0] == verdict


def test_the_advice_of_a_sentence_is_followed_once(reference, tmp_path, monkeypatch):
    place = reference.copy_to(tmp_path / "trial")
    (place.results / "b.json").write_text("{")
    said = "results/b.json: damaged (cut); delete it and run again"

    def run(self):
        if (self.results / "b.json").exists():
            return runs.Ended(1, said)
        (self.results / "b.json").write_text("{}\n")
        return runs.Ended(0, "")

    monkeypatch.setattr(runs.Place, "run", run)
    assert reference.judge(place)[0] == SURVIVED


@pytest.mark.parametrize(("content", "verdict"), [("a\n1\n", SURVIVED), ("a\n2\n", WRONG)])
def test_a_deleted_result_may_stay_away_until_asked_for(
    reference, tmp_path, monkeypatch, content, verdict
):
    place = reference.copy_to(tmp_path / "trial")
    (place.results / "a.tsv").unlink()

    def run(self):
        if self.targets == ("results/a.tsv",):
            (self.results / "a.tsv").write_text(content)
        return runs.Ended(0, "")

    monkeypatch.setattr(runs.Place, "run", run)
    assert reference.judge(place)[0] == WRONG
    assert reference.judge(place, ["a.tsv"])[0] == verdict


def test_a_stage_is_taken_away_with_all_that_is_made_of_it(reference, tmp_path):
    for stage in ("latents", "aging", "report"):
        (reference.place.results / stage).mkdir()
        (reference.place.results / stage / "x.tsv").write_text("x")
    for seed in range(10):
        place, stage, megabytes = shortage._without_stage(reference, tmp_path, random.Random(seed))
        left = [name for name in ("latents", "aging", "report") if (place.results / name).exists()]
        assert left == ["latents", "aging", "report"][: 3 - round(megabytes * shortage.MEGABYTE)]
        assert stage not in left


def test_logs_and_costs_are_no_results(reference, tmp_path):
    page = "<h3>Cost</h3><td>{} s</td><h3>Code</h3>"
    (reference.place.results / "index.html").write_text(page.format(1))
    place = reference.copy_to(tmp_path / "trial")
    (place.results / "logs").mkdir()
    (place.results / "logs/a.log").write_text("13:00")
    (place.results / "index.html").write_text(page.format(2))
    assert runs.differences(reference.contents, place.results) == []
    (place.results / "b.json").unlink()
    (place.results / "c.tsv").touch()
    assert runs.differences(reference.contents, place.results) == ["b.json", "c.tsv"]


def test_every_damage_changes_the_file_and_may_keep_its_time(reference, tmp_path):
    for how in damage.DAMAGES:
        path = reference.copy_to(tmp_path / "trial").results / "a.tsv"
        before = path.stat().st_mtime_ns, path.read_bytes()
        other = path.with_name("other.tsv")
        other.write_text("b\n3\n")
        damage.damage(path, how, [path, other], random.Random(0), keep_time=True)
        assert not path.exists() or path.read_bytes() != before[1]
        assert not path.exists() or path.stat().st_mtime_ns == before[0]


def test_changes_of_settings_reach_what_is_nested():
    base = {"space": {"voxel_mm": 4.0, "shape": [1]}, "seed": 0}
    changed = runs.with_settings(base, kills.CHANGES["space"])
    assert changed == {"space": {"voxel_mm": 4.5, "shape": [1]}, "seed": 0}
    assert base["space"]["voxel_mm"] == 4.0


def test_the_table_counts_each_verdict():
    trials = [Trial("kill", "x", SURVIVED), Trial("kill", "y", WRONG), Trial("read", "z", STUCK)]
    assert summarise(trials).splitlines()[1:] == [
        "kill | 2 | 1 | 0 | 1 | 0",
        "read | 1 | 0 | 0 | 0 | 1",
        "all | 3 | 1 | 0 | 1 | 1",
    ]
