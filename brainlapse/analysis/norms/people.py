"""Who the norms are fitted to, and whose scans are held against them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.cohort.people.names import people_of
from brainlapse.cohort.tables import SCAN

FOLDS = 10
FEWEST_OF_SEX = 5  # controls of a sex that there is a curve of
NOT_FITTED = -1  # fold of people who are no control of the train split


@dataclass(frozen=True)
class NormScans:
    """Accepted scans of known age.

    Attributes
    ----------
    rows
        Of scans.tsv, with `person`, in a fixed order.
    fitted
        The one scan of each control that the curves are fitted to, bool (N,).
    folds
        Fold in which the person is left out, int (N,); -1 for people who are not fitted.
    sexes
        Sexes that there are curves of; none: one curve for all.
    """

    rows: pd.DataFrame
    fitted: np.ndarray
    folds: np.ndarray
    sexes: tuple[str, ...]

    @property
    def ages_years(self) -> np.ndarray:
        """Age at each scan, float (N,)."""
        return self.rows["age_years"].to_numpy(float)

    @property
    def sex(self) -> np.ndarray:
        """Sex of each person, text (N,); None where unknown."""
        return self.rows["sex"].astype(object).where(self.rows["sex"].notna(), None).to_numpy()

    def has_curve(self) -> np.ndarray:
        """Whether there is a curve of the person's sex, bool (N,)."""
        return np.isin(self.sex.astype(str), self.sexes) | (not self.sexes)


def choose_people(scans: pd.DataFrame, quality: pd.DataFrame, settings: NormSettings) -> NormScans:
    """Choose the controls of the train split, one scan of each.

    The scan is the middle one of the accepted scans of known age (the earlier of two). Somebody
    of whom any scan has another diagnosis is no control. Folds go round by age.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    quality
        ``preprocess/qc.tsv``: only accepted scans count.
    """
    rows = scans.assign(person=people_of(scans))
    is_control = _is_control(rows["diagnosis"], settings).groupby(rows["person"]).transform("all")
    rows["control"] = is_control & (rows["split"] == "train")
    accepted = quality.loc[quality["status"] == "accepted", SCAN]
    rows = rows.merge(accepted, on=SCAN).dropna(subset=["age_years"])
    rows = rows.sort_values(["person", "age_years", *SCAN], ignore_index=True)
    middle = middle_scans(rows[rows["control"]])
    sexes = _sexes(middle["sex"])
    if sexes:
        middle = middle[middle["sex"].isin(sexes)]
    by_age = middle.sort_values(["age_years", "person"])["person"]
    fold_of = pd.Series(np.arange(len(by_age)) % FOLDS, index=by_age)
    folds = rows["person"].map(fold_of).fillna(NOT_FITTED).to_numpy(int)
    return NormScans(rows, rows.index.isin(middle.index), folds, sexes)


def middle_scans(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the middle scan of each person, of rows in order of age."""
    visits = rows.groupby("person")
    return rows[visits.cumcount() == (visits["scan"].transform("size") - 1) // 2]


def _is_control(diagnosis: pd.Series, settings: NormSettings) -> pd.Series:
    names = {name.strip().casefold() for name in settings.controls}
    known = diagnosis.astype(object).where(diagnosis.notna(), "n/a").astype(str)
    return known.str.strip().str.casefold().isin(names)


def _sexes(sex: pd.Series) -> tuple[str, ...]:
    counts = sex.value_counts()
    return tuple(sorted(counts.index[counts >= FEWEST_OF_SEX].astype(str)))
