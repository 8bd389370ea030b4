"""Tables of norms: what was fitted, its centiles over age, and where each scan stands."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.curves import Curve, NoCurve
from brainlapse.analysis.norms.people import NormScans
from brainlapse.analysis.norms.scores import fit_region, score_region
from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.cohort.tables import SCAN

CENTILES = (5, 25, 50, 75, 95)
MEASURES = ("intracranial_share", "native_volume_mm3")
AGES = 41  # of a curve
FIT_COLUMNS = [
    *("measure", "region", "people", "sexes", "youngest_years", "oldest_years", "spread_pct"),
    *("spread_ratio", "z_mean", "z_sd", "inside_share", "note"),
]
CURVE_COLUMNS = [
    *("measure", "region", "sex", "age_years"),
    *(f"centile_{share}" for share in CENTILES),
]
IDENTITY = ["dataset", "subject", "session", "scan", "split", "diagnosis", "sex", "age_years"]
SCORE_COLUMNS = [
    *(*IDENTITY, "measure", "region", "measured", "z_score", "centile", "outside_ages"),
    *("scored_by", "note"),
]

log = logging.getLogger("brainlapse")


@dataclass(frozen=True)
class Norms:
    """Tables of ``FIT_COLUMNS``, ``CURVE_COLUMNS`` and ``SCORE_COLUMNS``."""

    fits: pd.DataFrame
    curves: pd.DataFrame
    scores: pd.DataFrame


def tabulate_norms(volumes: pd.DataFrame, people: NormScans, settings: NormSettings) -> Norms:
    """Fit the curves of every region and hold every accepted scan against them.

    Parameters
    ----------
    volumes
        ``volumes/volumes.tsv``; only real scans count.
    people
        From `choose_people`.

    Returns
    -------
    Norms
        As `fit_measures` gives them.
    """
    measures = {measure: _wide(volumes, people, measure) for measure in MEASURES}
    return fit_measures(measures, people, settings)


def fit_measures(
    measures: dict[str, pd.DataFrame],
    people: NormScans,
    settings: NormSettings,
    logarithmic: bool = True,
) -> Norms:
    """Fit a curve to every column and hold every scan against it.

    Parameters
    ----------
    measures
        Of each measure a row per row of ``people.rows``, in their order, and a column per region;
        NaN where there is no value.
    people
        From `choose_people`.
    logarithmic
        Whether the logarithm is Gaussian, or the value itself.

    Returns
    -------
    Norms
        ``fits``: a row per measure and region; ``z_mean``, ``z_sd`` and ``inside_share`` (between
        the centiles 5 and 95) are of the controls, each held against curves without the person;
        or the reason why there is no curve, in ``note``. ``curves``: centiles over the controls'
        ages. ``scores``: a row per scan and region that has a curve. Without enough controls
        there are neither curves nor scores, and the log and ``fits`` say so.
    """
    known = [values.notna().any(axis=1) for values in measures.values()]
    count = int((people.fitted & np.any(known, axis=0)).sum())
    if count < settings.min_controls:
        reason = (
            f"no norms: expected {settings.min_controls} controls of the train split with "
            f"{' or '.join(measures)} of an accepted scan and a known age and sex "
            f"(analysis.norms), found {count}"
        )
        log.warning(reason)
        return _no_norms(reason)
    log.info("norms of %d controls, sex %s", count, " and ".join(people.sexes) or "left out")
    found = [
        _named(
            _norm_of_region(str(region), column, people, settings, logarithmic), name, str(region)
        )
        for name, values in measures.items()
        for region, column in values.astype(float).sort_index(axis="columns").items()
    ]
    return Norms(
        _joined([norms.fits for norms in found], FIT_COLUMNS),
        _joined([norms.curves for norms in found], CURVE_COLUMNS),
        _joined([norms.scores for norms in found], SCORE_COLUMNS),
    )


def _named(norms: Norms, measure: str, region: str) -> Norms:
    tables = (norms.fits, norms.curves, norms.scores)
    return Norms(*(table.assign(measure=measure, region=region) for table in tables))


def _joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled).reindex(columns=columns) if filled else pd.DataFrame(columns=columns)


def _no_norms(reason: str) -> Norms:
    fits = pd.DataFrame([{"note": reason}])
    return Norms(
        _joined([fits], FIT_COLUMNS), _joined([], CURVE_COLUMNS), _joined([], SCORE_COLUMNS)
    )


def _wide(volumes: pd.DataFrame, people: NormScans, measure: str) -> pd.DataFrame:
    """Return a row per scan and a column per region that controls have; NaN where there is none."""
    real = volumes[(volumes["kind"] == "real") & (volumes[measure].astype(float) > 0)]
    wide = real.pivot_table(measure, index=SCAN, columns="region", aggfunc="first").astype(float)
    wide = wide.reindex(pd.MultiIndex.from_frame(people.rows[SCAN]))
    return wide.loc[:, wide[people.fitted].notna().any()]


def _norm_of_region(
    name: str, column: pd.Series, people: NormScans, settings: NormSettings, logarithmic: bool
) -> Norms:
    values = column.to_numpy()
    try:
        norm = fit_region(values, people, settings, logarithmic)
    except NoCurve as reason:
        log.warning("no norm of %s: %s", name, reason)
        count = int((people.fitted & np.isfinite(values)).sum())
        fits = pd.DataFrame([{"people": count, "note": str(reason)}])
        return Norms(fits, pd.DataFrame(), pd.DataFrame())
    scored = score_region(values, people, norm)
    scores = people.rows[IDENTITY].assign(measured=_rounded(values)).join(scored.round(4))
    found = {**_described(norm.curve), **_calibration(scored[people.fitted])}
    return Norms(pd.DataFrame([found]), _tabulate_curve(norm.curve), scores[np.isfinite(values)])


def _described(curve: Curve) -> dict[str, Any]:
    return {
        "people": curve.people,
        "sexes": " ".join(curve.sexes) or None,
        "youngest_years": curve.knots[0],
        "oldest_years": curve.knots[-1],
        "spread_pct": round(100 * curve.spread, 4) if curve.logarithmic else None,
        "spread_ratio": round(float(np.exp(2 * curve.slope)), 4),
    }


def _calibration(scored: pd.DataFrame) -> dict[str, float]:
    """How the controls lie in curves that they were not fitted to."""
    known = scored.dropna(subset=["z_score"])
    inside = known["centile"].between(CENTILES[0], CENTILES[-1])
    numbers = {"z_mean": known["z_score"].mean(), "z_sd": known["z_score"].std()}
    return {name: round(n, 4) for name, n in {**numbers, "inside_share": inside.mean()}.items()}


def _tabulate_curve(curve: Curve) -> pd.DataFrame:
    ages = np.linspace(curve.knots[0], curve.knots[-1], AGES)
    return pd.concat(
        pd.DataFrame(
            {
                "sex": sex,
                "age_years": ages.round(2),
                **{
                    f"centile_{share}": _rounded(curve.at(share, ages, np.full(AGES, sex)))
                    for share in CENTILES
                },
            }
        )
        for sex in curve.sexes or (None,)
    )


def _rounded(values: np.ndarray, digits: int = 7) -> np.ndarray:
    """Numbers with so many digits that count."""
    return np.array([float(f"{value:.{digits}g}") for value in values])
