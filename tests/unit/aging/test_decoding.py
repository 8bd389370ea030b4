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


def test_images_are_written_inside_the_mask_of_the_last_scan_seen(tmp_path):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    mask = np.zeros((4, 4, 4), dtype=np.float32)
    mask[1:3, 1:3, 1:3] = 1
    for session, level in (("ses-1", 0.4), ("ses-2", 0.6)):
        stem = f"{tmp_path}/demo/sub-1/{session}/sub-1_{session}_space-MNI_desc-brain"
        save_volume(f"{stem}_T1w.nii.gz", level * mask, affine)
        save_volume(f"{stem}_mask.nii.gz", mask, affine)
    image = np.full((4, 4, 4), 0.5, dtype=np.float32)  # wrong outside the mask, on purpose
    plan = pd.DataFrame([ROW])
    masks = decoding.seen_masks(plan, decoding.LAST_SEEN, tmp_path)
    folder = tmp_path / "out"
    assert len(list(decoding.write_images(plan, iter([image]), masks, folder, affine))) == 1
    stored, stored_affine = load_volume(tmp_path / "out" / ROW["file"])
    np.testing.assert_array_equal(stored, image * mask)  # stripped like the last scan seen
    np.testing.assert_array_equal(stored_affine, affine)


def test_voxels_are_mixed_and_latents_decoded_in_the_order_of_the_plan(tmp_path):
    for subject, session, level in (("sub-1", "ses-1", 0.8), ("sub-2", "ses-1", 0.2)):
        stem = f"{tmp_path}/demo/{subject}/{session}/{subject}_{session}_space-MNI_desc-brain"
        save_volume(f"{stem}_T1w.nii.gz", np.full((2, 2, 2), level, np.float32), np.eye(4))
    ends = {"subject": "sub-1", "subject_last": "sub-2", "session_first": "ses-1",
            "session_last": "ses-1", "dataset": "demo"}  # fmt: skip
    steps = [("voxels", 0.25), ("latents", 0.25), ("voxels", 1.25), ("voxels", 2.0)]
    plan = pd.DataFrame([{**ends, "method": method, "alpha": alpha} for method, alpha in steps])
    decoded = iter([np.full((2, 2, 2), 0.5)])
    levels = [image.mean() for image in decoding.mixed_images(plan, decoded, tmp_path)]
    np.testing.assert_allclose(levels, [0.35, 0.5, 0.95, 1.0], rtol=1e-5)  # never above 1


def test_nobody_to_forecast_leaves_an_empty_folder(tmp_path):
    plan = pd.DataFrame(columns=["file"])
    assert list(decoding.write_images(plan, [], [], tmp_path / "out", np.eye(4))) == []
    assert list((tmp_path / "out").iterdir()) == []
    assert decoding.with_folder(plan, "aging/x").empty
