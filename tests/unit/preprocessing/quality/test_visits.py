import numpy as np
import pandas as pd
import pytest

from brainlapse.preprocessing.quality.fingerprint import (
    BLOCKS,
    read_fingerprint,
    similarities,
    take_fingerprint,
)
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.quality.strangers import template_fingerprint
from brainlapse.preprocessing.quality.visits import COLUMNS, PAIR_NUMBERS, judge_visits
from brainlapse.rejection import Rejection
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain

ALIKE = {**dict.fromkeys(PAIR_NUMBERS, 1.0), "correlation": 0.98, "detail_correlation": 0.95}
UNLIKE = {**ALIKE, "correlation": 0.7, "detail_correlation": 0.4}
GRID = grid_at(4.0, (40, 48, 40))


@pytest.fixture(scope="module")
def brains():
    """Fingerprints of six people at three visits, of brains that differ as people's do."""
    t1, mask = load_template_brain(GRID)
    found = {}
    for person in range(6):
        own = np.random.default_rng(person).normal(0, 0.12, (10, 12, 10)).repeat(4, 0)
        own = own.repeat(4, 1).repeat(4, 2)
        for visit in range(3):
            noise = np.random.default_rng([person, visit]).normal(0, 0.05, GRID.shape)
            brain = np.clip(0.85 * t1 * (1 + own) + noise, 0, 1) * mask
            found[f"sub-{person}_ses-{visit + 1}"] = take_fingerprint(brain, GRID)
    return found


def cohort(brains, shown=None, people=6, visits=3, **pairs):
    """Scans and records; `shown` names the scan whose brain another scan really shows."""
    names = [f"sub-{p}_ses-{v + 1}" for p in range(people) for v in range(visits)]
    shown = {name: name for name in names} | (shown or {})
    scans = pd.DataFrame(
        {
            "dataset": "a",
            "subject": [name[:5] for name in names],
            "session": [name[6:] for name in names],
            "scan": names,
        }
    )
    records = []
    roots: dict[str, list[str]] = {}
    for name in names:
        comparisons, root = {}, None
        for earlier in roots.setdefault(name[:5], []):
            same = shown[earlier][:5] == shown[name][:5]
            comparisons[earlier] = {**(ALIKE if same else UNLIKE), **pairs.get(name, {})}
            if same:
                root = earlier
                break
        visit = {"root": root, "same_person_as": root, "comparisons": comparisons}
        if root is None:
            roots[name[:5]].append(name)
        record = {"numbers": {}, "fingerprint": brains[shown[name]]}
        records.append(record | ({"visit": visit} if comparisons else {}))
    return scans, records


def flagged(scans, records, settings=None):
    table, reasons = judge_visits(scans, records, settings or QualitySettings())
    return table, {scans.loc[label, "scan"]: found for label, found in reasons.items()}


def test_good_visits_are_not_flagged(brains):
    table, reasons = flagged(*cohort(brains))
    assert reasons == {}
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 12
    assert table["joined"].all()
    assert table["findings"].isna().all()


@pytest.mark.parametrize("aligned", [[], ["sub-4", "sub-5"]], ids=["nobody", "some"])
def test_visits_that_were_not_compared_are_no_strangers(brains, aligned):
    """Brains of another tool, and `longitudinal.enabled: false`, have no comparisons."""
    scans, records = cohort(brains)
    for row, record in zip(scans.to_dict("records"), records, strict=True):
        if row["subject"] not in aligned:
            record.pop("visit", None)
    table, reasons = flagged(scans, records)
    assert reasons == {}
    assert set(table["scan"].str[:5]) == set(aligned)


def test_two_swapped_sessions_are_flagged_and_nobody_else(brains):
    swapped = {"sub-1_ses-2": "sub-4_ses-2", "sub-4_ses-2": "sub-1_ses-2"}
    _, reasons = flagged(*cohort(brains, swapped))
    assert set(reasons) == set(swapped)
    assert "looks like sub-4_ses-" in reasons["sub-1_ses-2"][0]
    assert "looks like sub-1_ses-" in reasons["sub-4_ses-2"][0]


def test_a_swapped_first_visit_is_the_odd_one_out(brains):
    swapped = {"sub-1_ses-1": "sub-4_ses-1", "sub-4_ses-1": "sub-1_ses-1"}
    _, reasons = flagged(*cohort(brains, swapped))
    assert set(reasons) == set(swapped)


def test_of_two_visits_the_later_one_is_flagged(brains):
    swapped = {"sub-1_ses-2": "sub-4_ses-2", "sub-4_ses-2": "sub-1_ses-2"}
    _, reasons = flagged(*cohort(brains, swapped, visits=2))
    assert set(reasons) == set(swapped)


def test_a_stranger_from_outside_looks_like_nobody(brains):
    _, reasons = flagged(*cohort(brains, {"sub-0_ses-3": "sub-5_ses-1"}, people=5))
    assert reasons == {"sub-0_ses-3": ["not the same person as sub-0_ses-1"]}


@pytest.mark.parametrize(
    ("number", "value", "words"),
    [
        ("detail_correlation", 0.9999, "same image under another name"),
        ("scale", 1.05, "voxel size"),
        ("mask_volume_ratio", 0.9, "look at both"),
    ],
)
def test_jumps_flag_the_later_visit(brains, number, value, words):
    pairs = {"sub-2_ses-3": {number: value}}
    table, reasons = flagged(*cohort(brains, **pairs))
    assert list(reasons) == ["sub-2_ses-3"]
    assert words in reasons["sub-2_ses-3"][0]
    assert table.set_index("scan")["findings"].dropna().index.tolist() == ["sub-2_ses-3"]


def test_another_scanner_is_noted_or_flagged(brains):
    pairs = {"sub-2_ses-3": {"contrast_ratio": 1.3}}
    scans, records = cohort(brains, **pairs)
    scans["site"] = ["east"] * 17 + ["west"]
    table, reasons = flagged(scans, records)
    assert reasons == {}
    findings = table.set_index("scan")["findings"].dropna()
    assert findings.index.tolist() == ["sub-2_ses-3", "sub-5_ses-3"]
    assert "another scanner or sequence" in findings["sub-2_ses-3"]
    assert findings["sub-5_ses-3"] == "site west, was east"
    _, reasons = flagged(scans, records, QualitySettings(scanner_change="flag"))
    assert set(reasons) == {"sub-2_ses-3", "sub-5_ses-3"}


def test_rejected_scans_are_left_out(brains):
    scans, records = cohort(brains)
    records[1] = Rejection(stage="mask_brain", reason="Expected a head, found nothing.")
    table, reasons = flagged(scans, records)
    assert reasons == {}
    assert len(table) == 11


def test_fingerprints_of_one_person_are_alike_and_others_are_not(brains):
    names = list(brains)
    prints = np.stack([read_fingerprint(text) for text in brains.values()])
    assert prints.shape == (18, np.prod(BLOCKS.shape))
    people = np.array([name[:5] for name in names])
    found = similarities(prints, people, template_fingerprint())
    same = np.equal.outer(people, people)
    assert found[same].min() > 0.9
    assert found[~same].max() < 0.6


def test_two_visits_of_the_only_person_are_alike(brains):
    prints = np.stack([read_fingerprint(brains[f"sub-0_ses-{n}"]) for n in (1, 2)])
    assert similarities(prints, ["a", "a"], template_fingerprint())[0, 1] > 0.9
