"""People in the space of the components, and the groups that they belong to."""

import re

import numpy as np
import pandas as pd

from brainlapse.cohort.people.names import class_name, people_of
from brainlapse.cohort.sites import tabulate_places
from brainlapse.cohort.tables import SCAN, is_flagged

GROUPINGS = ("dataset", "site", "diagnosis", "sex")
SIDES = ("train", "held_out")
FEWEST = 5  # people of a group: fewer are no cloud of points


def join_scans(scores: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Put the components of each scan beside all that is known of it, its site included.

    Parameters
    ----------
    scores
        ``pca.tsv``: dataset, scan and the components.
    index
        ``index.tsv`` of the latents; columns of the user say the site.
    """
    known = [*SCAN, *component_names(scores)]
    scans = scores[known].merge(index, on=SCAN, validate="one_to_one")
    return scans.assign(site=tabulate_places(scans)["site"])


def component_names(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold components."""
    return [name for name in map(str, table) if re.fullmatch(r"pc\d+", name)]


def tabulate_people(scans: pd.DataFrame) -> pd.DataFrame:
    """Take the mean of each person's unflagged scans, from `join_scans`.

    Returns
    -------
    pandas.DataFrame
        side, the components and ``GROUPINGS`` (text; missing where scans of a person differ, or
        nobody says). ``side`` tells the train split, on whom the axes were fitted, from all others;
        who has scans on both has two rows.
    """
    scans = scans[~is_flagged(scans)]
    side = np.where(scans["split"] == "train", *SIDES)
    people = scans.groupby([side, people_of(scans)], sort=True)
    parts = {name: people[name].agg(_only) for name in GROUPINGS if name in scans}
    groups = pd.DataFrame(parts).reindex(columns=[*GROUPINGS]).astype(object)
    table = people[component_names(scans)].mean().join(groups)
    return table.rename_axis(["side", "person"]).reset_index()


def _only(values: pd.Series) -> str | None:
    """Group of a person; none where the scans differ."""
    found = values.map(class_name).dropna().unique()
    return found[0] if len(found) == 1 else None
