"""Visits that do not show the person whose name they bear."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainlapse.preprocessing.quality.fingerprint import (
    BLOCKS,
    read_fingerprint,
    similarities,
    take_fingerprint,
)
from brainlapse.rejection import Rejection
from brainlapse.space import grid_at
from brainlapse.template import load_template_brain

ALIKE = 0.75  # of fingerprints: one person; others of 40 people reach 0.5
GRID_MM = 4.0


def find_strangers(
    scans: pd.DataFrame, records: Sequence[dict[str, Any] | Rejection]
) -> dict[Any, str]:
    """Find the visits that do not go with most visits of their person.

    Visits that joined one another show one person. Of several such groups the largest is taken for
    the person, among equals the one with the earliest visit; the visits of the others are
    strangers, and are compared with everybody else by their fingerprints. Of people whose visits
    were not held against each other (brains of another tool, `longitudinal` switched off) nothing
    is said.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    records
        Per scan the content of its ``_qc.json``, or the notice in its place.

    Returns
    -------
    dict
        By label of the table's index, one sentence.
    """
    groups = _groups(scans, records)
    strangers = {}
    for person in groups.values():
        known = max(person.values(), key=len)  # the first of the largest
        for group in person.values():
            if group is not known:
                strangers.update(dict.fromkeys(group, str(scans.loc[known[0], "scan"])))
    owners = _owners(scans, records, list(strangers))
    return {
        label: f"not the same person as {scan}{owners.get(label, '')}"
        for label, scan in strangers.items()
    }


def _groups(
    scans: pd.DataFrame, records: Sequence[dict[str, Any] | Rejection]
) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """Group the visits of each person that show one person, in order of the table."""
    people: dict[tuple[str, str], dict[str, list[Any]]] = {}
    compared: set[tuple[str, str]] = set()
    same: dict[tuple[str, str, str], str] = {}
    for (label, scan), record in zip(scans.iterrows(), records, strict=True):
        if isinstance(record, Rejection):
            continue
        person = (scan["dataset"], scan["subject"])
        visit = record.get("visit", {})
        if visit.get("comparisons"):
            compared.add(person)
        known = visit.get("same_person_as")
        # An earlier visit that this one goes with may itself go with a still earlier one.
        group = same.get((*person, known), known) if known else scan["scan"]
        same[(*person, scan["scan"])] = group
        people.setdefault(person, {}).setdefault(group, []).append(label)
    return {person: groups for person, groups in people.items() if person in compared}


def _owners(
    scans: pd.DataFrame,
    records: Sequence[dict[str, Any] | Rejection],
    strangers: list[Any],
) -> dict[Any, str]:
    """Say whom each stranger looks like, if anybody."""
    if not strangers:
        return {}
    known = usable_fingerprints(scans, records)
    usable = list(known)
    if len(usable) < 3:
        return {}
    prints = np.stack(list(known.values()))
    people = [f"{scans.loc[one, 'dataset']}/{scans.loc[one, 'subject']}" for one in usable]
    # A stranger is a person of its own, or it would be part of the mean of the wrong one.
    people = [
        f"{person}/{label}" if label in strangers else person
        for person, label in zip(people, usable, strict=True)
    ]
    alike = similarities(prints, people, template_fingerprint())
    found = {}
    for label in strangers:
        row = usable.index(label)
        others = scans.loc[usable, "subject"].to_numpy() != scans.loc[label, "subject"]
        scores = np.where(others, alike[row], -1.0)
        best = int(np.argmax(scores))
        if scores[best] >= ALIKE:
            found[label] = f"; looks like {scans.loc[usable[best], 'scan']} ({scores[best]:.2f})"
    return found


def usable_fingerprints(
    scans: pd.DataFrame, records: Sequence[dict[str, Any] | Rejection]
) -> dict[Any, np.ndarray]:
    """Fingerprint (N,) of each scan that was not rejected, by label of the table's index."""
    return {
        label: read_fingerprint(record["fingerprint"])
        for label, record in zip(scans.index, records, strict=True)
        if not isinstance(record, Rejection)
    }


def template_fingerprint() -> np.ndarray:
    """Return the template's own fingerprint, (N,)."""
    x, y, z = (round(size * BLOCKS.affine[0, 0] / GRID_MM) for size in BLOCKS.shape)
    grid = grid_at(GRID_MM, (x, y, z))
    t1, mask = load_template_brain(grid)
    return read_fingerprint(take_fingerprint(t1 * mask, grid))
