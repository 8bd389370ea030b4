"""Whom the page of requested forecasts shows: every person asked for, at the ages asked for."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from brainlapse.cohort.tables import PERSON
from brainlapse.figures import tables
from brainlapse.figures.viewer import people
from brainlapse.figures.viewer.people import Person, Source
from brainlapse.prediction.names import IMAGE

KEYS = [*PERSON, "scan"]


def collect_requested(root: Path, model: str) -> list[Person]:
    """Read the people of ``predict/<model>`` under the output folder; facts end with warnings."""
    source = read_requested(root, model)
    plan = source.predictions
    shown = people.collect(source, len(plan[PERSON].drop_duplicates()), series=1)
    return [replace(one, facts="; ".join([one.facts, *_warnings(plan, one)])) for one in shown]


def _warnings(plan: pd.DataFrame, person: Person) -> list[str]:
    mine = (plan["dataset"] == person.dataset) & (plan["subject"] == person.subject)
    noted = plan[mine].dropna(subset=["note"]).sort_values("target_age_years")
    return [
        f"at {age:g} years: {note}"
        for age, note in zip(noted["target_age_years"], noted["note"], strict=True)
    ]


def read_requested(root: Path, model: str) -> Source:
    """Read the tables of a run, with the requested forecasts in place of those of known scans."""
    folder = f"predict/{model}"
    plan = tables.read(root / folder / "predictions.tsv", (*tables.FORECASTS, "note"))
    volumes = tables.read(root / folder / "volumes.tsv", tables.PREDICTED)
    asked = plan[[*KEYS, "n_scans_seen", "method"]].rename(columns={"method": "decoded"})
    errors = volumes.merge(asked, on=KEYS, validate="many_to_one")
    of_image = errors["method"] == IMAGE
    errors["method"] = errors["method"].where(~of_image, errors["decoded"] + "_anchored")
    return replace(
        people.read_source(root, model),
        predictions=plan.assign(file=[f"{folder}/images/{file}" for file in plan["file"]]),
        errors=errors,
    )
