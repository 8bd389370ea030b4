"""Drawn people whose volumes follow known curves."""

import numpy as np
import pandas as pd

from brainlapse.analysis.norms.people import choose_people
from brainlapse.analysis.norms.settings import NormSettings

SPREAD = {"hippocampus": 0.10, "ventricles": 0.30}


def expected(region, ages_years, is_male):
    """Mean log share of the head of a person."""
    time = (np.asarray(ages_years, dtype=float) - 55) / 35
    if region == "hippocampus":
        return np.log(0.006) - 0.10 * time - 0.10 * time**2 + 0.03 * is_male
    return np.log(0.012) + 0.60 * time + 0.30 * np.maximum(time, 0) ** 2 + 0.08 * is_male


def spread(region, ages_years, growth=0.2):
    """Standard deviation of the log share."""
    return SPREAD[region] * np.exp(growth * (np.asarray(ages_years, dtype=float) - 55) / 35)


def draw(people, seed=0, visits=1, **columns):
    """Return volumes, scans and quality; ``shift`` moves people by so many standard deviations.

    ``columns`` are values of all people or functions of their number.
    """
    random = np.random.default_rng(seed)
    facts = {"split": "train", "diagnosis": "control", "sex": lambda n: "FM"[n % 2], "shift": 0.0}
    facts |= columns
    rows = [
        {
            "dataset": "a",
            "subject": f"sub-{seed}-{number:04d}",
            "session": f"ses-{visit}",
            "age_years": round(age + visit, 2),
            **{name: make(number) if callable(make) else make for name, make in facts.items()},
        }
        for number, age in enumerate(random.uniform(20, 90, people))
        for visit in range(visits)
    ]
    scans = pd.DataFrame(rows)
    scans["scan"] = scans["subject"] + "_" + scans["session"]
    scans["person"] = scans["dataset"] + "/" + scans["subject"]
    return _volumes(scans, random), scans.drop(columns="shift"), _accepted(scans)


def _volumes(scans, random):
    parts = []
    head = np.exp(random.normal(0, 0.1, len(scans))) * 1.5e6
    own = {name: random.normal() for name in scans["person"].unique()}
    for region in SPREAD:
        mean = expected(region, scans["age_years"], scans["sex"] == "M")
        place = scans["person"].map(own) + scans["shift"]
        share = np.exp(mean + place * spread(region, scans["age_years"]))
        parts.append(
            scans[["dataset", "subject", "session", "scan"]].assign(
                kind="real",
                region=region,
                native_volume_mm3=share * head,
                volume_mm3=share * 1.8e6,
                intracranial_share=share,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _accepted(scans):
    return scans[["dataset", "scan"]].assign(status="accepted")


def together(*cohorts):
    """Put cohorts into one set of tables."""
    return tuple(pd.concat(parts, ignore_index=True) for parts in zip(*cohorts, strict=True))


def draw_rates(people, seed=0, slower=(), settings=None):
    """Return rates, components of a model `s2d` and people, of controls with three visits.

    Ventricles grow by 2 + age / 40 % per year, with SD 1; the first component by as many of its SD
    per year as the z-score of that, and the second by none. People of ``slower`` are of the test
    split and 3 SD slower.
    """
    random = np.random.default_rng(seed)
    split = dict.fromkeys(slower, "test")
    _, scans, quality = draw(people, seed, visits=3, split=lambda n: split.get(n, "train"))
    subjects = scans["subject"].unique()
    z = random.normal(size=people) - 3 * np.isin(np.arange(people), list(slower))
    age = scans.groupby("subject")["age_years"].median()[subjects].to_numpy()
    own = dict(zip(subjects, z, strict=True))
    rates = pd.DataFrame(
        {
            "dataset": "a",
            "subject": subjects,
            "region": "ventricles",
            "rate_pct_per_year": 2 + age / 40 + z,
        }
    )
    time = scans["age_years"] - scans.groupby("subject")["age_years"].transform("mean")
    level = random.normal(0, 100, people).repeat(3)  # of people: far more than they change
    scores = scans.drop(columns="person").assign(
        pc1=level + 7 * scans["subject"].map(own) * time, pc2=level + 100
    )
    return rates, {"s2d": scores}, choose_people(scans, quality, settings or NormSettings())
