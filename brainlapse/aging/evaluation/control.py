"""A control: where the ages of each training person are shuffled, the gain has to go.

From one scan, all that a forecast gains over the copy of that scan comes from what others taught.
With their ages shuffled within each person they teach no rate. A gain that shuffled ages reach as
well does not come from ageing: chance, a fault, or a leak.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import number_people, over_people
from brainlapse.aging.forecast import forecast_latents, latent_errors
from brainlapse.aging.plan import BROUGHT, training_scans
from brainlapse.aging.settings import AgingSettings
from brainlapse.aging.volumes import forecast_volumes
from brainlapse.cohort.tables import PERSON, SCAN
from brainlapse.segmentation.labels import REGIONS

SHUFFLES = 19  # the least that tell 5 %
LATENTS = "latents"
ON_VOLUMES = ("volume_rate", "volume_bayes")
COPY = "copy_last"
CELL = ["measure", "method"]
TARGET = ["dataset", "subject", "scan"]
ERRORS = [*CELL, *TARGET, "shuffle", "copy_error", "error"]
CONTROL_COLUMNS = [
    *CELL,
    *("n", "n_subjects", "copy_error", "error", "gain", "gain_low", "gain_high"),
    *("shuffled_gain", "shuffled_most", "p_value"),
]


def control_latents(
    predictions: pd.DataFrame, latents: np.ndarray, index: pd.DataFrame, settings: AgingSettings
) -> pd.DataFrame:
    """Errors of latents forecast from one scan, by shuffle; -1 is none: ``ERRORS``.

    Parameters
    ----------
    predictions
        Table of forecasts.
    latents
        float32 (N, C, d, h, w).
    index
        One row per latent.
    """
    ours = _judged(predictions[predictions["method"].isin(BROUGHT)])
    parts = [pd.DataFrame(columns=ERRORS)]
    for shuffle, shuffled in _shuffles(index, ours):
        codes = forecast_latents(ours, latents, shuffled, settings)
        found = latent_errors(ours, codes, latents, index)
        copies, errors = found["latent_rmse_copy"], found["latent_rmse"]
        table = ours.assign(measure=LATENTS, shuffle=shuffle, copy_error=copies, error=errors)
        parts.append(table[ERRORS])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def control_volumes(
    errors: pd.DataFrame, predictions: pd.DataFrame, real: pd.Series, index: pd.DataFrame
) -> pd.DataFrame:
    """Errors [%] of volumes of the groups of structures, by shuffle; -1 is none: ``ERRORS``.

    Parameters
    ----------
    errors
        ``errors.tsv``, of which the copies are taken.
    predictions
        Table of forecasts.
    real
        Volumes of real scans [mm3] by dataset, scan and region.
    index
        All scans.
    """
    judged = _judged(errors)
    copies = judged[(judged["method"] == COPY) & judged["region"].isin(REGIONS)]
    copies = copies.rename(columns={"abs_error_pct": "copy_error"})
    times = _judged(predictions).drop_duplicates(TARGET)
    frame = copies[[*TARGET, "region", "observed_mm3", "copy_error"]].merge(
        times[[*TARGET, "seen_scans", "target_age_years"]], on=TARGET
    )
    parts = [pd.DataFrame(columns=ERRORS)]
    for shuffle, shuffled in _shuffles(index, frame):
        found = forecast_volumes(frame, real, shuffled)
        found = found[found["method"].isin(ON_VOLUMES)].rename(columns={"region": "measure"})
        off_mm3 = (found["predicted_mm3"] - found["observed_mm3"]).abs()
        table = found.assign(shuffle=shuffle, error=100 * off_mm3 / found["observed_mm3"])
        parts.append(table[ERRORS])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def summarise_control(errors: pd.DataFrame) -> pd.DataFrame:
    """Gain over the copy, and how often shuffled ages gain as much: ``CONTROL_COLUMNS``.

    ``p_value`` is (1 + shuffles that gain as much) / (1 + shuffles); gains are means over people.
    """
    records = []
    for keys, rows in errors.groupby(CELL, sort=True):
        real, shuffled = rows[rows["shuffle"] < 0], rows[rows["shuffle"] >= 0]
        copied, error, gain = (
            over_people(number_people(real), values.to_numpy(dtype=float))
            for values in (real["copy_error"], real["error"], real["copy_error"] - real["error"])
        )
        gains = np.array(
            [
                over_people(
                    number_people(part),
                    (part["copy_error"] - part["error"]).to_numpy(dtype=float),
                ).mean
                for _, part in shuffled.groupby("shuffle")
            ]
        )
        as_much = int((gains >= gain.mean).sum())
        record = [*keys, len(real), gain.n_subjects, copied.mean, error.mean]
        record += [gain.mean, gain.low, gain.high, gains.mean(), gains.max()]
        record.append((1 + as_much) / (1 + len(gains)))
        records.append(dict(zip(CONTROL_COLUMNS, record, strict=True)))
    return pd.DataFrame(records, columns=CONTROL_COLUMNS)


def shuffle_ages(index: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Shuffle the ages of each training person among their dated scans; nobody else's."""
    training = training_scans(index).set_index(SCAN)
    shuffled = training.groupby(PERSON, sort=True)["age_years"].transform(generator.permutation)
    ages = index.set_index(SCAN)["age_years"].copy()
    ages.loc[shuffled.index] = shuffled
    return index.assign(age_years=ages.to_numpy())


def _shuffles(index: pd.DataFrame, wanted: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield -1 and the table of scans, then each shuffle, the same ones every time."""
    if len(wanted):
        yield -1, index
        generator = np.random.default_rng(0)
        for shuffle in range(SHUFFLES):
            yield shuffle, shuffle_ages(index, generator)


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Forecasts from the one scan so far, of people who choose and calibrate nothing."""
    one = (table["n_scans_seen"] == 1) & (table["n_scans_so_far"] == 1)
    return table[one & (table["split"] != "validation")].reset_index(drop=True)
