"""What is forecast and interpolated: read off the table of scans, before any image is touched.

The workflow asks the same functions which files to expect while it builds its graph, so nothing
heavy is imported here.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from brainlapse.aging.settings import AgingSettings, Method
from brainlapse.cohort.tables import PERSON, is_flagged, scan_path

BAYES_SUBJECTS = 3  # training subjects with two ages: fewer tell nothing of a spread
FORECAST_COLUMNS = [
    *("dataset", "subject", "session", "scan", "split", "method"),
    *("n_scans_seen", "n_scans_so_far", "seen_scans"),
    *("last_session", "last_scan", "last_age_years", "target_age_years", "horizon_years", "file"),
]
LATENT_ERRORS = ["latent_rmse", "latent_rmse_copy"]
INTERPOLATION_COLUMNS = [
    *("dataset", "subject", "split", "subject_last", "session_first", "session_last"),
    *("scan_first", "scan_last", "method", "alpha", "file"),
]
BROUGHT = ("population_rate", "bayes")
"""Methods that are fitted once for all forecasts, and that a model brings along to another run."""
OWN_SCANS_ONLY = ("linear",)
"""Methods that learn from no other people."""
VOXEL_LINEAR = "voxel_linear"
WARPED = "_warped"
"""Ending of methods that warp the last scan seen as the decoded forecast says."""
BY_MODEL = tuple(method for method in get_args(Method) if method != VOXEL_LINEAR)
"""Methods whose images rest on what the autoencoder decodes; others are no work of its."""
DECODED = tuple(method for method in BY_MODEL if not method.endswith(WARPED))
"""Methods whose images the autoencoder decodes."""
LATENTS, VOXELS, STRANGERS = "latents", "voxels", "strangers"
"""Ways between two scans: mixed latents, decoded; mixed voxels; the latents of two people."""


def dated_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Unflagged scans with a known age, by subject in order of age.

    Parameters
    ----------
    scans : pd.DataFrame
        Rows of the scans table; ages may be numbers, text or missing.
    """
    table = _unflagged(scans)
    table["age_years"] = pd.to_numeric(table["age_years"], errors="coerce")
    table = table[table["age_years"].notna()]
    return table.sort_values(["dataset", "subject", "age_years", "scan"], ignore_index=True)


def training_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Dated scans of the people that methods are fitted to."""
    table = dated_scans(scans)
    return table[table["split"] == "train"]


def plan_forecasts(
    scans: pd.DataFrame, settings: AgingSettings, brought: Sequence[str] = ()
) -> pd.DataFrame:
    """Every forecast that the cohort allows, one row per predicted scan.

    For each held-out subject and each number L of scans so far, every scan after the L-th by age
    is a target, and the last k of the L scans are seen, for each k up to L. So methods and numbers
    of scans seen can be compared on the same target from the same last scan; k = L sees all.
    ``linear`` and ``voxel_linear`` need two scans some time apart, ``population_rate`` a training
    subject with two ages, ``bayes`` `BAYES_SUBJECTS`, and so do those that warp by them.
    Forecasts of other tools are those whose files are there.

    Parameters
    ----------
    scans : pd.DataFrame
        dataset, subject, session, scan, split, age_years and, if present, flagged.
    settings : AgingSettings
        Splits, methods and numbers of scans seen.
    brought : Sequence[str]
        Methods whose rates came along with the model, for runs whose training subjects tell none.

    Returns
    -------
    pd.DataFrame
        ``FORECAST_COLUMNS``; ``session`` and ``scan`` are the target's, ``seen_scans`` are joined
        by commas, ``file`` is relative to the folder of the person's block. Empty for a
        cross-sectional cohort.
    """
    table = dated_scans(scans)
    rate_subjects = count_rates(table)
    held_out = table[table["split"].isin(settings.splits)]
    records = []
    for _, visits in held_out.groupby(["dataset", "subject"], sort=True):
        for so_far in sorted(settings.scans_seen):
            if len(visits) <= so_far:
                continue
            rest = visits.iloc[so_far:]
            horizon_years = rest["age_years"] - visits["age_years"].iloc[so_far - 1]
            targets = rest[horizon_years > settings.min_horizon_years].to_dict("records")
            for n_seen in sorted(n for n in settings.scans_seen if n <= so_far):
                seen = visits.iloc[so_far - n_seen : so_far]
                for method in possible_methods(seen, rate_subjects, settings, brought):
                    records += [forecast_row(target, seen, method, so_far) for target in targets]
                for name in settings.external:
                    rows = [forecast_row(target, seen, name, so_far) for target in targets]
                    records += [row for row in rows if external_file(row, settings).is_file()]
    return pd.DataFrame(records, columns=FORECAST_COLUMNS)


def external_file(row: dict, settings: AgingSettings) -> Path:
    """Where the forecast of another tool is: named as ours, in native space ``space-T1w``."""
    external = settings.external[row["method"]]
    name = row["file"]
    if external.space == "native":
        name = name.replace("_space-MNI_", "_space-T1w_")
    return Path(external.folder, row["dataset"], name)


def rate_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Dated training scans of subjects with two or more ages: what the mean rate rests on."""
    table = training_scans(scans)
    ages = table.groupby(["dataset", "subject"])["age_years"].transform("nunique")
    return table[ages >= 2].reset_index(drop=True)


def count_rates(scans: pd.DataFrame) -> int:
    """Count the training subjects with scans at two ages."""
    return len(rate_scans(scans)[PERSON].drop_duplicates())


def tells_rates(scans: pd.DataFrame) -> bool:
    """Whether the training subjects tell the rates; else, those count that came along."""
    return count_rates(scans) >= BAYES_SUBJECTS


def plan_interpolations(scans: pd.DataFrame, settings: AgingSettings) -> pd.DataFrame:
    """First and last scan of held-out subjects, with every weight alpha of the first (Eq. 2).

    Three ways: their latents are mixed; their voxels, without a network; and, between people, the
    latents of the first scans of a subject and of the next one of the data set. Scans are in
    order of age where all of a subject's are known, else of session name.

    Parameters
    ----------
    scans : pd.DataFrame
        As for ``plan_forecasts``; ages may be missing.
    settings : AgingSettings
        Splits, alphas and the number of subjects.

    Returns
    -------
    pd.DataFrame
        ``INTERPOLATION_COLUMNS``; ``file`` is relative to the folder of interpolated scans.
    """
    table = _unflagged(scans)
    table["age_years"] = pd.to_numeric(table["age_years"], errors="coerce")
    judged = [split for split in settings.splits if split != "validation"]
    table = table[table["split"].isin(judged or settings.splits)]
    pairs = []
    for _, visits in table.groupby(["dataset", "subject"], sort=True):
        order = ["age_years", "scan"] if visits["age_years"].notna().all() else ["scan"]
        ordered = visits.sort_values(order).to_dict("records")
        if len(ordered) >= 2:
            pairs.append((ordered[0], ordered[-1]))
    pairs = pairs[: settings.interpolation_subjects]
    ends = [(method, *pair) for pair in pairs for method in (LATENTS, VOXELS)]
    ends += [
        (STRANGERS, one[0], other[0])
        for one, other in itertools.pairwise(pairs)
        if one[0]["dataset"] == other[0]["dataset"]
    ]
    records = [
        _interpolation(method, first, last, alpha)
        for method, first, last in ends
        for alpha in sorted(settings.alphas)
    ]
    return pd.DataFrame(records, columns=INTERPOLATION_COLUMNS)


def sees_all(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table of forecasts, or of volumes, that see every scan so far, or forecast nothing.

    Others see only the last of them: they are there to compare numbers of scans seen.
    """
    if "n_scans_so_far" not in table:
        return table
    seen, so_far = (pd.to_numeric(table[n]) for n in ("n_scans_seen", "n_scans_so_far"))
    return table[so_far.isna() | (seen == so_far)]


def compared_scans(forecasts: pd.DataFrame) -> list[str]:
    """Scan paths whose real images a table of forecasts is compared with, sorted.

    The target of each forecast, and the last scan seen, whose copy is the baseline.
    """
    paths = set()
    for row in forecasts.to_dict("records"):
        paths.add(scan_path(row["dataset"], row["subject"], row["session"]))
        paths.add(scan_path(row["dataset"], row["subject"], row["last_session"]))
    return sorted(paths)


def last_seen_scans(forecasts: pd.DataFrame) -> list[str]:
    """Scan paths of the last scans that a table of forecasts sees, sorted."""
    rows = forecasts.to_dict("records")
    return sorted({scan_path(r["dataset"], r["subject"], r["last_session"]) for r in rows})


def interpolated_scans(interpolations: pd.DataFrame) -> list[str]:
    """Scan paths of both ends of every interpolation, sorted."""
    paths = set()
    for row in interpolations.to_dict("records"):
        paths.add(scan_path(row["dataset"], row["subject"], row["session_first"]))
        paths.add(scan_path(row["dataset"], row["subject_last"], row["session_last"]))
    return sorted(paths)


def _unflagged(scans: pd.DataFrame) -> pd.DataFrame:
    for column in ("dataset", "subject", "session", "scan", "split", "age_years"):
        if column not in scans:  # also an empty list of rows
            scans = scans.assign(**{column: pd.Series(dtype=object)})
    return scans[~is_flagged(scans)].copy()


def possible_methods(
    seen: pd.DataFrame, rate_subjects: int, settings: AgingSettings, brought: Sequence[str] = ()
) -> list[str]:
    """Methods of the settings that the seen scans and rates, own or brought along, allow."""
    span_years = seen["age_years"].iloc[-1] - seen["age_years"].iloc[0]
    has_line = len(seen) >= 2 and span_years >= settings.min_seen_span_years
    possible = {
        "linear": has_line,
        VOXEL_LINEAR: has_line,
        "population_rate": rate_subjects > 0,
        "bayes": rate_subjects >= BAYES_SUBJECTS,
    }
    if rate_subjects < BAYES_SUBJECTS:
        possible |= dict.fromkeys(brought, True)
    return [
        method for method in settings.methods if possible.get(method.removesuffix(WARPED), True)
    ]


def forecast_row(target: dict, seen: pd.DataFrame, method: str, so_far: int) -> dict:
    """Row of ``FORECAST_COLUMNS``: a target, from some of the scans so far, in order of age."""
    last = seen.iloc[-1]
    where = scan_path(target["dataset"], target["subject"], target["session"])
    of = f"_of-{so_far}" if len(seen) < so_far else ""
    ending = f"method-{method}_seen-{len(seen)}{of}_space-MNI_desc-predicted_T1w.nii.gz"
    return {
        **{name: target[name] for name in ("dataset", "subject", "session", "scan", "split")},
        "method": method,
        "n_scans_seen": len(seen),
        "n_scans_so_far": so_far,
        "seen_scans": ",".join(seen["scan"]),
        "last_session": last["session"],
        "last_scan": last["scan"],
        "last_age_years": last["age_years"],
        "target_age_years": target["age_years"],
        "horizon_years": target["age_years"] - last["age_years"],
        "file": f"{where.partition('/')[2]}_{ending}",
    }


def _interpolation(method: str, first: dict, last: dict, alpha: float) -> dict:
    folder = f"{first['dataset']}/{first['subject']}"
    step = f"method-{method}_alpha-{alpha:g}"
    name = f"{first['subject']}_{step}_space-MNI_desc-interpolated_T1w.nii.gz"
    return {
        **{name: first[name] for name in ("dataset", "subject", "split")},
        "subject_last": last["subject"],
        "session_first": first["session"],
        "session_last": last["session"],
        "scan_first": first["scan"],
        "scan_last": last["scan"],
        "method": method,
        "alpha": alpha,
        "file": f"{folder}/{name}",
    }
