"""Norms of yearly change: of regional volumes, and of latents along their components."""

import pandas as pd

from brainlapse.analysis.groups import component_names
from brainlapse.analysis.norms.people import NormScans, middle_scans
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.analysis.norms.tables import Norms, fit_measures
from brainlapse.cohort.tables import SCAN

VOLUMES, LATENTS = "volume_pct_per_year", "latent_sd_per_year"


def tabulate_rate_norms(
    rates: pd.DataFrame,
    components: dict[str, pd.DataFrame],
    people: NormScans,
    settings: NormSettings,
) -> Norms:
    """Fit curves to the rates of controls and hold everybody of two visits against them.

    Parameters
    ----------
    rates
        ``volumes/rates.tsv``.
    components
        ``pca.tsv`` of each autoencoder.
    people
        From `choose_people`. The middle visit of a person stands for all of them.

    Returns
    -------
    Norms
        Measures `volume_pct_per_year`, by region, and `latent_sd_per_year`, by autoencoder and
        component (``s2d/pc1``); as `fit_measures` gives them, of plain values.
    """
    owners = people.rows[["dataset", "subject", "person"]].drop_duplicates()
    named = rates.merge(owners, on=["dataset", "subject"])
    volumes = named.pivot_table("rate_pct_per_year", index="person", columns="region")
    latents = {
        f"{model}/{name}": column
        for model, scores in components.items()
        for name, column in component_rates(scores, people).items()
    }
    measures = {VOLUMES: volumes, LATENTS: pd.DataFrame(latents)}
    placed = {name: _at_middle_scan(table, people) for name, table in measures.items()}
    return fit_measures(placed, people, settings, logarithmic=False)


def component_rates(scores: pd.DataFrame, people: NormScans) -> pd.DataFrame:
    """Slope over age of each component, least squares over the accepted visits of a person.

    Returns
    -------
    pandas.DataFrame
        A row per person with visits at two ages, a column per component; in standard deviations
        of the component among the controls that norms are fitted to, per year.
    """
    names = component_names(scores)
    rows = people.rows[[*SCAN, "person"]].assign(fitted=people.fitted, age=people.ages_years)
    scans = rows.merge(scores[[*SCAN, *names]], on=SCAN, validate="one_to_one")
    spread = scans.loc[scans["fitted"], names].std()
    by_person = scans.groupby("person")
    time = scans["age"] - by_person["age"].transform("mean")
    change = scans[names] - by_person[names].transform("mean")
    squares = (time**2).groupby(scans["person"]).sum()
    sums = change.mul(time, axis="index").groupby(scans["person"]).sum()
    slopes = sums[squares > 0].div(squares[squares > 0], axis="index")
    return slopes / spread.where(spread > 0)


def _at_middle_scan(table: pd.DataFrame, people: NormScans) -> pd.DataFrame:
    """Return a row per scan; all but the middle scan of a person are empty."""
    rows = people.rows
    is_middle = rows.index.isin(middle_scans(rows).index)
    placed = table.reindex(rows["person"].where(is_middle)).set_axis(rows.index)
    return placed.loc[:, placed[people.fitted].notna().any()]
