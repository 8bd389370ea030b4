"""Tables of regional volumes: who is who, and native volumes."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.damage import DamagedFile
from brainlapse.segmentation.result import Segmentation
from brainlapse.segmentation.volumes import (
    VOLUME_COLUMNS,
    brain_name,
    describe_aligned,
    describe_forecasts,
    describe_interpolations,
    describe_scans,
    join_volumes,
    labels_name,
    planned_images,
    tabulate_images,
)

QUALITY = pd.DataFrame(
    {
        "dataset": ["a", "a"],
        "subject": ["sub-1", "sub-1"],
        "session": ["ses-1", "ses-2"],
        "scan": ["sub-1_ses-1", "sub-1_ses-2"],
        "status": ["accepted", "flagged"],
        "affine_determinant": [1.25, 1.6],
        "intracranial_ml": [1280.0, 1000.0],
    }
)


def measured(tmp_path, names, kind, model):
    segment = {"ventricles": 20_000.0, "hippocampus": np.nan, "brain": 1_600_000.0}
    job = {"dataset": "a", "model": model, "kind": kind, "backend": "embedded"}
    images = [tmp_path / name for name in names]
    return tabulate_images(images, [Segmentation(segment, None)] * len(images), job)


def test_real_and_decoded_scans_are_told_apart(tmp_path):
    ending = "space-MNI_desc-x_T1w.nii.gz"
    predictions = QUALITY.tail(1).assign(
        method="linear",
        n_scans_seen=1,
        n_scans_so_far=1,
        last_scan="sub-1_ses-1",
        file=f"aging/m/predicted/a/sub-1/ses-2/sub-1_ses-2_method-linear_seen-1_{ending}",
    )
    interpolations = pd.DataFrame(
        {
            "dataset": ["a"],
            "subject": ["sub-1"],
            "method": ["voxels"],
            "alpha": [0.5],
            "file": [f"aging/m/interpolated/a/sub-1/sub-1_method-voxels_alpha-0.5_{ending}"],
        }
    )
    tables = [
        measured(tmp_path, [f"sub-1_ses-1_{ending}", f"sub-1_ses-2_{ending}"], "real", None),
        measured(tmp_path, [f"sub-1_ses-{n}_{ending}" for n in (1, 2)], "reconstructed", "m"),
        measured(tmp_path, [predictions["file"].iloc[0].split("/")[-1]], "predicted", "m"),
        measured(tmp_path, [f"sub-1_method-voxels_alpha-0.5_{ending}"], "interpolated", "m"),
    ]
    described = [
        describe_scans(QUALITY, "real", None),
        describe_scans(QUALITY, "reconstructed", "m"),
        describe_forecasts(predictions, "m"),
        describe_interpolations(interpolations, "m"),
    ]
    stacked = [
        pd.concat([part.astype(object) for part in parts], ignore_index=True)
        for parts in (tables, described)
    ]
    table = join_volumes(*stacked, QUALITY)
    assert list(table.columns) == VOLUME_COLUMNS
    assert len(table) == 18
    ventricles = table[table["region"] == "ventricles"].set_index("kind")
    assert ventricles.loc["real", "native_volume_mm3"].tolist() == [16_000.0, 12_500.0]
    assert ventricles.loc["real", "model"].isna().all()
    # The affine of the target is not known yet: that of the last scan seen leads back.
    assert ventricles.loc["predicted", "native_volume_mm3"] == 16_000.0
    assert ventricles.loc["predicted", "method"] == "linear"
    assert pd.isna(ventricles.loc["interpolated", "native_volume_mm3"])
    assert ventricles.loc["interpolated", ["method", "alpha"]].tolist() == ["voxels", 0.5]
    assert ventricles["intracranial_share"].tolist() == [0.0125] * 6
    assert table[table["region"] == "brain"]["intracranial_share"].tolist() == [1.0] * 6
    assert table[table["region"] == "hippocampus"]["volume_mm3"].isna().all()


def test_the_head_does_not_shrink_with_the_brain(tmp_path):
    quality = QUALITY.assign(affine_determinant=1.25, intracranial_ml=1400.0)
    job = {"dataset": "a", "model": None, "kind": "aligned", "backend": "embedded"}
    images = [tmp_path / brain_name(scan) for scan in quality["scan"]]
    sizes = [Segmentation({"brain": mm3, "ventricles": 1e4}, None) for mm3 in (1.6e6, 1.5e6)]
    found = tabulate_images(images, sizes, job)
    table = join_volumes(found, describe_aligned(quality, found), quality)
    ventricles = table[table["region"] == "ventricles"]
    assert ventricles["intracranial_share"].tolist() == [0.0057143] * 2
    assert table["kind"].unique().tolist() == ["aligned"]


def test_aligned_visits_are_expected_of_people_who_have_any(tmp_path):
    found = measured(tmp_path, [brain_name("sub-1_ses-1")], "aligned", None)
    other = QUALITY.assign(subject="sub-10", scan=["sub-10_ses-1", "sub-10_ses-2"])
    quality = pd.concat([QUALITY, other], ignore_index=True)
    described = describe_aligned(quality, found)
    assert described["stem"].tolist() == ["sub-1_ses-1", "sub-1_ses-2"]
    assert describe_aligned(quality, found.assign(kind="real")).empty


@pytest.mark.parametrize(
    ("scans", "named"), [((1, 2, 9), "real a sub-1_ses-9"), ((1,), "real a sub-1_ses-2")]
)
def test_an_unknown_image_and_one_that_was_never_measured_are_named(tmp_path, scans, named):
    names = [f"sub-1_ses-{number}_space-MNI_T1w.nii.gz" for number in scans]
    table = measured(tmp_path, names, "real", None)
    with pytest.raises(ValueError, match=f"1 on one side only, {named} for one: delete volumes"):
        join_volumes(table, describe_scans(QUALITY, "real", None), QUALITY)


def test_rejected_scans_are_not_expected(tmp_path):
    quality = QUALITY.assign(status=["accepted", "rejected"])
    table = measured(tmp_path, ["sub-1_ses-1_space-MNI_T1w.nii.gz"], "real", None)
    assert len(join_volumes(table, describe_scans(quality, "real", None), quality)) == 3


def test_planned_images_are_all_there(tmp_path):
    names = ["a/sub-1/ses-2/x.nii.gz", "a/sub-1/ses-1/y.nii.gz"]
    for name in (*names, "a/sub-10/z.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [p.name for p in planned_images(tmp_path, names)] == ["y.nii.gz", "x.nii.gz"]
    (tmp_path / names[0]).unlink()
    with pytest.raises(DamagedFile, match="1 of 2 images missing: a/sub-1/ses-2/x"):
        planned_images(tmp_path, names)
    assert labels_name("sub-1_space-MNI_desc-brain_T1w.nii.gz") == "sub-1_space-MNI_dseg.nii.gz"
