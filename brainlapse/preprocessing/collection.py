"""Tables of the whole cohort's quality, and the contract that its images keep."""

from typing import Any

import numpy as np
import pandas as pd

from brainlapse import provenance
from brainlapse.cohort.tables import REJECTED_COLUMNS
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import Rejection
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.template import TEMPLATE_NAME, template_sha256

IDENTITY = ["dataset", "subject", "session", "scan"]
QUALITY_STAGE = "measure_quality"
NUMBERS = (
    "mask_volume_ml",
    "cut_area_cm2",
    "bias_range",
    "affine_determinant",
    "scale_x",
    "scale_y",
    "scale_z",
    "shear_xy",
    "shear_xz",
    "shear_yz",
    "template_overlap",
    "template_correlation",
    "white_snr",
    "contrast",
    "joint_variation",
)


def tabulate_quality(
    scans: pd.DataFrame, records: list[dict[str, Any] | Rejection]
) -> pd.DataFrame:
    """Join scans and their quality records: one row per scan, in the order of `scans`.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    records
        Per scan the content of its ``_qc.json``, or the notice in its place.

    Returns
    -------
    pandas.DataFrame
        dataset, subject, session, scan, status, stage, reasons (joined by "; ", missing where
        there are none) and the numbers, missing for scans that failed before.
    """
    judged = pd.DataFrame([_flatten(record) for record in records], index=scans.index)
    table = pd.concat([scans[IDENTITY], judged], axis=1)
    return table.reindex(columns=[*IDENTITY, "status", "stage", "reasons", *NUMBERS])


def _flatten(record: dict[str, Any] | Rejection) -> dict[str, Any]:
    if isinstance(record, Rejection):
        return {"status": "rejected", "stage": record.stage, "reasons": record.reason}
    reasons = "; ".join(record["reasons"]) or None
    stage = QUALITY_STAGE if reasons else None
    numbers = record["numbers"]
    return {"status": record["status"], "stage": stage, "reasons": reasons, **numbers}


def list_rejected(scans: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Return path, reason and stage of the rejected scans; the columns are there without any."""
    rejected = quality["status"] == "rejected"
    table = scans.loc[rejected, [*IDENTITY, "path"]].assign(
        reason=quality.loc[rejected, "reasons"], stage=quality.loc[rejected, "stage"]
    )
    return table.reindex(columns=list(REJECTED_COLUMNS))


def describe_contract(space: SpaceSettings, preprocess: PreprocessSettings) -> dict[str, Any]:
    """Say what an image must be like to meet models that were trained on this cohort."""
    grid = mni_grid(space)
    return {
        "grid": {
            "shape": list(grid.shape),
            "affine": np.round(grid.affine, 6).tolist(),
            "voxel_mm": space.voxel_mm,
            "orientation": "RAS",
        },
        "intensity": {
            "rule": preprocess.intensity.method,
            "range": [0.0, 1.0],
            "background": 0.0,
            "settings": preprocess.intensity.model_dump(mode="json"),
        },
        "template": {"name": TEMPLATE_NAME, "sha256": template_sha256()},
        "mask": preprocess.mask.model_dump(mode="json"),
        "bias": preprocess.bias.model_dump(mode="json"),
        "registration": preprocess.registration.model_dump(mode="json"),
        "resampling": preprocess.resampling.model_dump(mode="json"),
        "versions": provenance.versions(),
    }
