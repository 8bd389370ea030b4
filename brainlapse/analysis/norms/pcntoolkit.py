"""The volumes in the layout of PCNtoolkit, which fits norms of other kinds and across sites."""

import pandas as pd

from brainlapse.analysis.norms.people import NormScans
from brainlapse.cohort.sites import tabulate_places
from brainlapse.cohort.tables import SCAN

SHARE = "_share"  # ending of the columns of shares of the head

# A row per observation, with a column for each covariate, batch effect and response, is what its
# NormData.from_dataframe takes; names of columns are arguments:
# https://github.com/amarquand/PCNtoolkit, "The NormData class" of its tutorials.


def tabulate_for_pcntoolkit(volumes: pd.DataFrame, people: NormScans) -> pd.DataFrame:
    """One row per accepted scan of known age.

    Returns
    -------
    pandas.DataFrame
        subject_id (text), age [years], sex and site (batch effects), used (`fit`: the one scan of
        each control that our curves are fitted to; `score`: all others), scan, split, diagnosis,
        then the native volume of each region [mm3] and its share of the head (`<region>_share`).
    """
    rows = people.rows
    site = tabulate_places(rows)["site"]
    lead = pd.DataFrame(
        {
            "subject_id": rows["person"],
            "age": rows["age_years"],
            "sex": rows["sex"],
            "site": site.where(site.notna(), rows["dataset"]),
            "used": pd.Series(people.fitted, index=rows.index).map({True: "fit", False: "score"}),
            **{name: rows[name] for name in ("scan", "split", "diagnosis")},
        }
    )
    keys = pd.MultiIndex.from_frame(rows[SCAN])
    real = volumes[volumes["kind"] == "real"]
    parts = [lead]
    for measure, ending in (("native_volume_mm3", ""), ("intracranial_share", SHARE)):
        known = real.dropna(subset=[measure])
        wide = known.pivot_table(measure, index=SCAN, columns="region", aggfunc="first")
        wide = wide.reindex(keys).reset_index(drop=True)
        parts.append(wide.add_suffix(ending))
    return pd.concat(parts, axis="columns")
