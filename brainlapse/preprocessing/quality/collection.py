"""Tables of the whole cohort's quality, and the contract that its images keep."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainlapse import provenance
from brainlapse.cohort.tables import REJECTED_COLUMNS, scan_path
from brainlapse.damage import check_agree, check_complete
from brainlapse.preprocessing.quality.outliers import compare_scans
from brainlapse.preprocessing.quality.review import Decision, ScanKey
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.quality.verdict import judge
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import Rejection, read_rejection
from brainlapse.runtime import read_json
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.template import TEMPLATE_NAME, template_sha256

IDENTITY = ["dataset", "subject", "session", "scan"]
QUALITY_STAGE = "collect_quality"
REVIEW_STAGE = "qc_review"
NUMBERS = (
    "mask_score",
    "mask_volume_ml",
    "intracranial_ml",
    "cut_area_cm2",
    "dark_slices",
    "bias_range",
    "affine_determinant",
    "scale_x",
    "scale_y",
    "scale_z",
    "shear_xy",
    "shear_xz",
    "shear_yz",
    "rotation_degrees",
    "template_overlap",
    "template_correlation",
    "residual_mm",
    "residual_degrees",
    "white_snr",
    "contrast",
    "joint_variation",
)


COLUMNS = (
    *IDENTITY,
    "status",
    "stage",
    "reasons",
    "decision",
    "note",
    "mask_way",
    "largest_z",
    *NUMBERS,
)


def check_files(path: str | Path, scans: pd.DataFrame, files: Iterable[str], folder: Path) -> None:
    """Check that ``scans.tsv`` lists the scans that the run measured; DamagedFile if not.

    Parameters
    ----------
    path, scans
        ``cohort/scans.tsv`` and its content.
    files, folder
        The ``_qc.json`` of all scans, and the folder of preprocessing.
    """
    rows = scans[["dataset", "subject", "session"]].to_numpy().tolist()
    listed = [f"{scan_path(*row)}_qc.json" for row in rows]
    measured = [str(Path(file).relative_to(folder)) for file in files]
    check_agree(path, listed, folder, measured, "records")


def read_record(path: str | Path) -> dict[str, Any] | Rejection:
    """Read the ``_qc.json`` of a scan, or the notice in its place; DamagedFile if it is neither."""
    notice = read_rejection(path)
    if notice:
        return notice
    record = read_json(path)
    check_complete(path, NUMBERS, set(record.get("numbers", ())) & set(NUMBERS), "numbers")
    check_complete(path, ["mask"], {"mask"} & set(record), "facts")
    return record


def tabulate_quality(
    scans: pd.DataFrame,
    records: list[dict[str, Any] | Rejection],
    settings: QualitySettings,
    review: dict[ScanKey, Decision],
    visits: dict[Any, list[str]],
) -> pd.DataFrame:
    """Judge all scans: by limits, their data set, their person's visits, a person's decisions.

    Parameters
    ----------
    scans
        ``cohort/scans.tsv``.
    records
        Per scan the content of its ``_qc.json``, or the notice in its place.
    settings
        Limits.
    review
        Decisions by dataset and scan.
    visits
        Why visits are to be flagged, from `visits.judge_visits`.

    Returns
    -------
    pandas.DataFrame
        One row per scan, in the order of `scans`: dataset, subject, session, scan, status, stage,
        reasons (joined by "; ", missing where there are none), decision, note, mask_way, largest_z
        (see `compare_scans`) and the numbers, missing for scans that failed before.
    """
    judged = pd.DataFrame([_flatten(record, settings) for record in records], index=scans.index)
    table = pd.concat([scans[IDENTITY], judged], axis=1).reindex(columns=list(COLUMNS))
    reasons, largest_z = compare_scans(table.assign(split=scans["split"]), settings)
    table = table.assign(largest_z=largest_z.round(2))
    for found in (reasons.to_dict(), visits):
        table = _flag(table, found)
    keys = zip(table["dataset"], table["scan"], strict=True)
    decided = [review.get(key) for key in keys]
    rows = [
        _obey(row, decision) if decision else row
        for row, decision in zip(table.to_dict("records"), decided, strict=True)
    ]
    return pd.DataFrame(rows, index=table.index, columns=list(COLUMNS))


def _flatten(record: dict[str, Any] | Rejection, settings: QualitySettings) -> dict[str, Any]:
    if isinstance(record, Rejection):
        return {"status": "rejected", "stage": record.stage, "reasons": record.reason}
    verdict = judge(record["numbers"], settings)
    reasons = "; ".join(verdict.reasons) or None
    stage = QUALITY_STAGE if reasons else None
    row = {"status": verdict.status, "stage": stage, "reasons": reasons}
    return {**row, "mask_way": record["mask"]["way"], **record["numbers"]}


def _flag(table: pd.DataFrame, reasons: dict[Any, list[str]]) -> pd.DataFrame:
    """Flag the scans that there are reasons for, by label; rejected ones stay rejected."""
    table = table.copy()
    for row, found in reasons.items():
        if not found:
            continue
        before = table.loc[row, "reasons"]
        table.loc[row, "reasons"] = "; ".join([*([] if pd.isna(before) else [before]), *found])
        if table.loc[row, "status"] != "rejected":
            table.loc[row, ["status", "stage"]] = ["flagged", QUALITY_STAGE]
    return table


def _obey(row: dict[Any, Any], decision: Decision) -> dict[Any, Any]:
    """Return the row of a scan with a person's decision carried out."""
    row = {**row, "decision": decision.decision, "note": decision.note or None}
    said = f"qc_review.tsv: {decision.note or decision.decision}"
    before = "" if pd.isna(row["reasons"]) else str(row["reasons"])
    if decision.decision == "exclude":
        beside = f" (besides: {before})" if before else ""
        return {**row, "status": "rejected", "stage": REVIEW_STAGE, "reasons": said + beside}
    if row["status"] == "accepted":
        return row
    if row["stage"] != QUALITY_STAGE:
        return {**row, "reasons": f"{before} (qc_review.tsv says keep, but there is no image)"}
    reasons = f"{said} (was {row['status']}: {before})"
    return {**row, "status": "accepted", "stage": REVIEW_STAGE, "reasons": reasons}


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
