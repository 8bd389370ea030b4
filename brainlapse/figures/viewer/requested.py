"""Whom the page of requested forecasts shows: every person asked for, at the ages asked for."""

from dataclasses import replace
from pathlib import Path

from brainlapse.figures import style, tables
from brainlapse.figures.viewer import people
from brainlapse.figures.viewer.people import PERSON, Person, Series, Source
from brainlapse.prediction import IMAGE

ALONE = "volume_bayes"  # the method on volumes that tells an interval
KEYS = [*PERSON, "scan"]


def collect_requested(root: Path, model: str) -> list[Person]:
    """Read the people of ``predict/<model>`` under the output folder.

    Each has two series of the same pictures: with the volumes that no picture was needed for, and
    their intervals, then with the volumes of the pictures.
    """
    source = read_requested(root, model)
    shown = people.collect(source, source.predictions[PERSON].drop_duplicates().shape[0], 1)
    return [
        replace(person, series=tuple(both for one in person.series for both in _pair(source, one)))
        for person in shown
    ]


def read_requested(root: Path, model: str) -> Source:
    """Read the tables of a run, with the requested forecasts in place of those of known scans."""
    folder = f"predict/{model}"
    plan = tables.read(root / folder / "predictions.tsv", tables.FORECASTS)
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


def _pair(source: Source, series: Series) -> list[Series]:
    where = source.predictions["file"].map(lambda file: source.root / str(file))
    group = source.predictions[where.isin([frame.image for frame in series.frames])]
    seen = int(group["n_scans_seen"].iloc[0])
    alone = people.forecast_volumes(source, group, ALONE, seen)
    of_pictures = replace(series, name=f"{series.name}; volumes of the pictures")
    if not alone:  # too few training subjects for an interval
        return [of_pictures]
    name = f"{series.name}; volumes by {style.label(ALONE)}, 95 % interval"
    return [replace(series, name=name, volumes=alone), of_pictures]
