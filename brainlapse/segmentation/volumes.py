"""Tables of regional volumes: one per subject and kind, then one of the whole run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.damage import check_complete
from brainlapse.segmentation.columns import DETAILS, IDENTITY, MEASURED_COLUMNS, VOLUME_COLUMNS
from brainlapse.segmentation.result import Segmentation

IMAGE_ENDING = "_space-MNI_"


def planned_images(folder: Path, files: Sequence[str]) -> list[Path]:
    """Paths of one subject's images in a folder of decoded scans, sorted.

    Parameters
    ----------
    files
        Relative to the folder.

    Raises
    ------
    DamagedFile
        If the folder lacks one.
    """
    check_complete(folder, files, [name for name in files if (folder / name).is_file()], "images")
    return sorted(folder / name for name in files)


def tabulate_images(
    images: Iterable[Path],
    segmentations: Sequence[Segmentation],
    job: dict[str, str | None],
) -> pd.DataFrame:
    """Put what was measured in images into one table.

    Parameters
    ----------
    images
        NIfTI files with different names.
    segmentations
        Of each file, in the same order.
    job
        What all images have in common: dataset, model, kind and backend.

    Returns
    -------
    pandas.DataFrame
        ``MEASURED_COLUMNS``: name of the file, region, volume in MNI space.
    """
    records = [
        {**job, "file": image.name, "region": region, "volume_mm3": volume_mm3}
        for image, segmentation in zip(images, segmentations, strict=True)
        for region, volume_mm3 in segmentation.volumes_mm3.items()
    ]
    return pd.DataFrame(records, columns=MEASURED_COLUMNS)


def describe_scans(quality: pd.DataFrame, kind: str, model: str | None) -> pd.DataFrame:
    """Who is in the images of real or reconstructed scans: those that are not rejected.

    Parameters
    ----------
    quality
        ``preprocess/qc.tsv``.
    kind
        ``real``, ``aligned`` or ``reconstructed``.
    model
        Name of the autoencoder; None for real scans and for the same aligned at 1 mm.

    Returns
    -------
    pandas.DataFrame
        Identity, model, kind, details (missing), ``stem``, how the file's name begins, and
        ``native_scan``, whose affine leads back to native space.
    """
    table = quality.loc[quality["status"] != "rejected", IDENTITY]
    named = {"stem": table["scan"], "native_scan": table["scan"]}
    return _complete(table.assign(**named, kind=kind, model=model))


def describe_aligned(quality: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Who is in the real scans aligned at 1 mm: all visits of the people who have any there.

    Parameters
    ----------
    quality
        ``preprocess/qc.tsv``.
    measured
        ``MEASURED_COLUMNS``.
    """
    aligned = measured[measured["kind"] == "aligned"]
    subjects = [_stem(file).split("_")[0] for file in aligned["file"]]
    people = pd.MultiIndex.from_arrays([aligned["dataset"], subjects])
    known = pd.MultiIndex.from_frame(quality[["dataset", "subject"]]).isin(people)
    return describe_scans(quality[known], "aligned", None)


def describe_forecasts(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    """Who is in the predicted images, from ``aging/{model}/predictions.tsv``.

    The way back to native space is that of the last scan seen: the target's is not known yet.
    """
    table = predictions[[*IDENTITY, *DETAILS[:3]]]
    stems, lasts = [_stem(file) for file in predictions["file"]], predictions["last_scan"]
    return _complete(table.assign(stem=stems, kind="predicted", model=model, native_scan=lasts))


def describe_interpolations(interpolations: pd.DataFrame, model: str) -> pd.DataFrame:
    """Who is in the interpolated images, from ``aging/{model}/interpolations.tsv``.

    They lie between two scans: session and scan are missing, and with them a native volume.
    """
    table = interpolations[["dataset", "subject", "method", "alpha"]]
    stems = [_stem(file) for file in interpolations["file"]]
    return _complete(table.assign(stem=stems, kind="interpolated", model=model))


def join_volumes(
    measured: pd.DataFrame, described: pd.DataFrame, quality: pd.DataFrame
) -> pd.DataFrame:
    """Say of every measured volume whose it is, and undo the affine.

    Parameters
    ----------
    measured
        ``MEASURED_COLUMNS``, of any number of jobs.
    described
        Rows of the ``describe_`` functions.
    quality
        ``preprocess/qc.tsv`` with ``affine_determinant`` (MNI volume / native volume) and
        ``intracranial_ml``.

    Returns
    -------
    pandas.DataFrame
        ``VOLUME_COLUMNS``; the native volume is the MNI volume / the determinant of the scan
        named in the row, for a forecast of the last scan seen; ``intracranial_share`` is the
        native volume / the volume of the brain mask, ``intracranial_ml``, which all visits of a
        person share.

    Raises
    ------
    ValueError
        If an image is in only one of the tables, or twice.
    """
    keys = ["dataset", "model", "kind", "stem"]
    # Missing keys are filled, since a merge by NaN differs between versions of pandas.
    stems = [_stem(file) for file in measured["file"]]
    left = measured.assign(stem=stems, order=range(len(measured)))
    left, right = (frame.assign(model=frame["model"].fillna("")) for frame in (left, described))
    joined = left.merge(right, on=keys, how="outer", validate="many_to_one", indicator=True)
    alone = joined[joined["_merge"] != "both"].drop_duplicates(keys)
    if len(alone):
        first = " ".join(filter(None, alone.iloc[0][["kind", "model", "dataset", "stem"]]))
        message = (
            f"expected every segmented image in qc.tsv, predictions.tsv or interpolations.tsv, and "
            f"every one of theirs segmented, found {len(alone)} on one side only, {first} for one: "
            "delete volumes/ and run again"
        )
        raise ValueError(message)
    joined = joined.sort_values("order", ignore_index=True)
    affine = quality[["dataset", "scan", "affine_determinant"]]
    affine = affine.rename(columns={"scan": "native_scan"})
    joined = joined.merge(affine, on=["dataset", "native_scan"], how="left", validate="many_to_one")
    determinant = pd.to_numeric(joined["affine_determinant"])
    joined["volume_mm3"] = pd.to_numeric(joined["volume_mm3"])
    joined["native_volume_mm3"] = joined["volume_mm3"] / determinant
    joined["intracranial_share"] = joined["volume_mm3"] / _intracranial_mm3(joined, quality)
    joined["model"] = joined["model"].mask(joined["model"] == "")
    table = joined[VOLUME_COLUMNS]
    return table.round({"volume_mm3": 3, "native_volume_mm3": 3, "intracranial_share": 7})


def _intracranial_mm3(joined: pd.DataFrame, quality: pd.DataFrame) -> np.ndarray:
    """Volume of the brain mask in MNI space [mm3] of every row: of its scan, or of its person."""
    numbers = quality[["intracranial_ml", "affine_determinant"]].apply(pd.to_numeric)
    known = quality.assign(mask_mm3=1000 * numbers.prod(axis=1, skipna=False))
    of_scan = known.set_index(["dataset", "scan"])["mask_mm3"]
    of_person = known.groupby(["dataset", "subject"])["mask_mm3"].mean()
    by_scan, by_person = (
        table.reindex(pd.MultiIndex.from_frame(joined[names])).to_numpy()
        for table, names in (
            (of_scan, ["dataset", "native_scan"]),
            (of_person, ["dataset", "subject"]),
        )
    )
    return np.where(joined["native_scan"].isna(), by_person, by_scan)


def labels_name(image: str | Path) -> str:
    """File name of an image's label map: ``sub-01_ses-1_space-MNI_dseg.nii.gz``."""
    return f"{_stem(str(image))}{IMAGE_ENDING}dseg.nii.gz"


def brain_name(scan: str) -> str:
    """File name of a scan's brain, from which `join_volumes` tells whose it is."""
    return f"{scan}{IMAGE_ENDING}desc-brain_T1w.nii.gz"


def _stem(file: str) -> str:
    return Path(file).name.split(IMAGE_ENDING)[0]


def _complete(table: pd.DataFrame) -> pd.DataFrame:
    return table.reindex(columns=[*IDENTITY, "model", "kind", *DETAILS, "stem", "native_scan"])
