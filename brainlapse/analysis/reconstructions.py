"""How well autoencoders give scans back: by group, beside the mean image, and in volumes."""

import logging

import numpy as np
import pandas as pd

METHODS = ("model", "mean_image")
IDENTITY = ("dataset", "subject", "session", "scan", "split", "file")
GROUPS = ["split", "dataset", "diagnosis"]
ALL = "all"
VOLUME_ERROR_COLUMNS = [
    *("dataset", "subject", "scan", "split", "region"),
    *("real_mm3", "reconstructed_mm3", "error_pct", "abs_error_pct"),
]
KEYS = ["dataset", "scan", "region"]

log = logging.getLogger(__name__)


def summarise_reconstructions(
    table: pd.DataFrame, index: pd.DataFrame, baseline: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Mean and standard deviation of every metric, by split, dataset and diagnosis.

    Parameters
    ----------
    table
        ``reconstruction.tsv`` of a model.
    index
        dataset, scan and, where known, diagnosis.
    baseline
        The same columns as `table` for the mean training image.

    Returns
    -------
    pandas.DataFrame
        method (model, mean_image), split, dataset, diagnosis, n, then ``<metric>_mean`` and
        ``<metric>_sd`` (n - 1; missing for one scan). Rows with dataset and diagnosis ``all``
        take a split as a whole.
    """
    parts = []
    for method, scores in zip(METHODS, (table, baseline), strict=True):
        if scores is None or scores.empty:
            continue
        known = index.reindex(columns=["dataset", "scan", "diagnosis"])
        scores = scores.merge(known, on=["dataset", "scan"], how="left", validate="one_to_one")
        whole = scores.assign(dataset=ALL, diagnosis=ALL)
        parts += [_statistics(rows).assign(method=method) for rows in (whole, scores)]
    summary = pd.concat(parts, ignore_index=True)
    return summary[["method", *summary.columns.drop("method")]]


def _statistics(scores: pd.DataFrame) -> pd.DataFrame:
    metrics = [name for name in scores.columns if name not in (*IDENTITY, "diagnosis")]
    groups = scores.groupby(GROUPS, dropna=False, sort=True)
    columns: dict[str, pd.Series] = {"n": groups.size()}
    for name in metrics:
        columns[f"{name}_mean"] = groups[name].mean()
        columns[f"{name}_sd"] = groups[name].std()
    return pd.DataFrame(columns).reset_index()


def volume_errors(volumes: pd.DataFrame, index: pd.DataFrame, model: str) -> pd.DataFrame:
    """Regional volumes of reconstructions against those of the scans themselves.

    Both are in MNI space and from the same segmentation: this is the floor under every later
    number of the model, such as the error of its forecasts.

    Parameters
    ----------
    volumes
        ``volumes.tsv``.
    index
        dataset, subject, scan and split of all scans.
    model
        Name of the autoencoder.

    Returns
    -------
    pandas.DataFrame
        ``VOLUME_ERROR_COLUMNS``; rows without either volume are left out, and their number
        logged.
    """
    real = volumes[volumes["kind"] == "real"]
    made = volumes[(volumes["kind"] == "reconstructed") & (volumes["model"] == model)]
    made = made[[*KEYS, "volume_mm3"]].rename(columns={"volume_mm3": "reconstructed_mm3"})
    return _with_errors(real, made, KEYS, index)


def mean_image_errors(
    volumes: pd.DataFrame, index: pd.DataFrame, mean_image_mm3: dict[str, float]
) -> pd.DataFrame:
    """Regional volumes of the mean training image against those of the scans.

    Parameters
    ----------
    mean_image_mm3
        Region to volume [mm3].

    Returns
    -------
    pandas.DataFrame
        ``VOLUME_ERROR_COLUMNS``.
    """
    real = volumes[volumes["kind"] == "real"]
    pairs = {"region": list(mean_image_mm3), "reconstructed_mm3": list(mean_image_mm3.values())}
    return _with_errors(real, pd.DataFrame(pairs), ["region"], index)


def _with_errors(
    real: pd.DataFrame, made: pd.DataFrame, keys: list[str], index: pd.DataFrame
) -> pd.DataFrame:
    real = real[[*KEYS, "volume_mm3"]].rename(columns={"volume_mm3": "real_mm3"})
    scans = index[["dataset", "subject", "scan", "split"]]
    table = real.merge(scans, on=["dataset", "scan"], validate="many_to_one")
    table = table.merge(made, on=keys, how="left", validate="many_to_one")
    known = table["reconstructed_mm3"].notna() & (table["real_mm3"] > 0)
    if not known.all():
        log.info("%d of %d rows have no volume and are left out", (~known).sum(), len(table))
    table = table[known]
    error_pct = 100 * (table["reconstructed_mm3"] / table["real_mm3"] - 1)
    table = table.assign(error_pct=error_pct, abs_error_pct=np.abs(error_pct))
    return table.sort_values(["dataset", "scan", "region"], ignore_index=True)[VOLUME_ERROR_COLUMNS]
