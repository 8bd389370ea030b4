import numpy as np
import pandas as pd

from brainlapse.aging import decoding
from brainlapse.images import load_volume, save_volume

ROW = {
    "dataset": "demo",
    "subject": "sub-1",
    "session": "ses-2",
    "last_session": "ses-1",
    "file": "demo/sub-1/ses-2/forecast.nii.gz",
}


def test_images_are_written_and_compared_inside_the_target_mask(tmp_path):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    mask = np.zeros((4, 4, 4), dtype=np.float32)
    mask[1:3, 1:3, 1:3] = 1
    for session, level in (("ses-1", 0.4), ("ses-2", 0.6)):
        stem = f"{tmp_path}/demo/sub-1/{session}/sub-1_{session}_space-MNI_desc-brain"
        save_volume(f"{stem}_T1w.nii.gz", level * mask, affine)
        save_volume(f"{stem}_mask.nii.gz", mask, affine)
    image = np.full((4, 4, 4), 0.5, dtype=np.float32)  # wrong outside the mask, on purpose
    plan = pd.DataFrame([ROW])
    masks = decoding.seen_masks(plan, ["last_session"], tmp_path)
    folder = tmp_path / "out"
    for row, written in decoding.write_images(plan, iter([image]), masks, folder, affine):
        errors = decoding.image_errors(row, written, tmp_path)
    found = [errors["image_mae"], errors["image_mae_copy"]]
    np.testing.assert_allclose(found, [0.1, 0.2], rtol=1e-5)
    stored, stored_affine = load_volume(tmp_path / "out" / ROW["file"])
    np.testing.assert_array_equal(stored, image * mask)  # stripped like the last scan seen
    np.testing.assert_array_equal(stored_affine, affine)


def test_nobody_to_forecast_leaves_an_empty_folder(tmp_path):
    plan = pd.DataFrame(columns=["file"])
    assert list(decoding.write_images(plan, [], [], tmp_path / "out", np.eye(4))) == []
    assert list((tmp_path / "out").iterdir()) == []
    assert decoding.with_folder(plan, "aging/x").empty
