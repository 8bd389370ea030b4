import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainlapse.preprocessing.quality.measures import (
    NativeScan,
    bias_range,
    cut_area_cm2,
    dark_slices,
    describe_affine,
    measure,
    quality_record,
    tissue_contrast,
)
from brainlapse.preprocessing.quality.reference import Reference, sample_reference
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.quality.verdict import judge
from brainlapse.space import Grid


def good_numbers():
    return {
        "mask_score": 1.0,
        "mask_volume_ml": 1400.0,
        "intracranial_ml": 1400.0,
        "cut_area_cm2": 0.0,
        "dark_slices": 0.0,
        "bias_range": 1.5,
        "affine_determinant": 1.3,
        "scale_x": 1.1,
        "scale_y": 1.1,
        "scale_z": 1.1,
        "shear_xy": 0.0,
        "shear_xz": 0.0,
        "shear_yz": 0.05,
        "rotation_degrees": 10.0,
        "template_overlap": 0.96,
        "template_correlation": 0.6,
        "residual_mm": 1.5,
        "residual_degrees": 0.7,
        "white_snr": 9.0,
        "contrast": 1.5,
        "joint_variation": 1.2,
    }


def ball(radius_mm, voxel_mm=1.0, count=60):
    axis = (np.arange(count) - (count - 1) / 2) * voxel_mm
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return x**2 + y**2 + z**2 <= radius_mm**2


def test_determinant_is_mni_volume_over_native_volume():
    native_radius_mm, scale = 20.0, 1.2
    to_scan = np.diag([1 / scale, 1 / scale, 1 / scale, 1.0])
    ratio = ball(native_radius_mm * scale).sum() / ball(native_radius_mm).sum()
    found = describe_affine(to_scan)["affine_determinant"]
    assert found == pytest.approx(1.2**3)
    assert found == pytest.approx(ratio, rel=0.01)


def test_scales_and_shears_are_read_off():
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    triangle = np.array([[1.2, 0.12, 0], [0, 0.9, -0.09], [0, 0, 1.1]])
    to_scan = np.eye(4)
    to_scan[:3, :3] = np.linalg.inv(triangle @ turn)
    found = describe_affine(to_scan)
    assert [found[f"scale_{axis}"] for axis in "xyz"] == pytest.approx([1.2, 0.9, 1.1])
    shears = [found[f"shear_{axes}"] for axes in ("xy", "xz", "yz")]
    assert shears == pytest.approx([0.1, 0, -0.1])


@pytest.mark.parametrize("degrees", [[26.0, 8.0, 12.7], [-40.0, 5.0, 60.0]])
def test_scales_and_shears_are_the_head_s_and_not_its_pose(degrees):
    """A short, wide head that is tilted in the scanner is as short and as wide."""
    to_scan = np.linalg.inv(np.array([[1.1, 0.02, 0], [0, 0.97, 0.01], [0, 0, 1.21]]))
    upright, tilted = np.eye(4), np.eye(4)
    upright[:3, :3] = to_scan
    tilted[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() @ to_scan
    one, other = describe_affine(upright), describe_affine(tilted)
    assert [other.pop("rotation_degrees") > 20, one.pop("rotation_degrees") < 20] == [True, True]
    assert other == pytest.approx(one)


def test_bias_range_of_a_planted_field():
    mask = np.pad(np.ones((20, 20, 20), bool), ((0, 0), (2, 2), (2, 2)))
    corrected = 50.0 * mask  # air is 0
    field = np.broadcast_to(np.linspace(1, 2, 20)[:, None, None], mask.shape)
    scan = NativeScan(corrected * field, corrected, mask, np.eye(4))
    assert bias_range(scan) == pytest.approx(2.0)


def test_area_cut_by_the_field_of_view():
    mask = np.zeros((10, 10, 10), bool)
    mask[2:8, 3:7, 5:] = True
    affine = np.diag([2.0, 5, 1, 1])
    raw = np.tile(np.arange(10.0) + 50, (10, 10, 1))
    raw[0, 0, 0] = 0  # air
    assert cut_area_cm2(raw, mask, affine) == pytest.approx(6 * 4 * 2 * 5 / 100)
    assert cut_area_cm2(raw, np.roll(mask, -2, axis=2), affine) == 0


@pytest.mark.parametrize("sunk", [0, 1, 2])
def test_area_cut_by_an_emptied_half(sunk):
    brain = ball(20.0)
    raw = 100.0 * ball(25.0)
    half = raw.copy()
    half[:30] = 0
    mask = brain.copy()
    mask[: 30 + sunk] = False
    assert cut_area_cm2(raw, brain, np.eye(4)) == 0
    found = cut_area_cm2(half, mask, np.eye(4))
    assert found == pytest.approx(np.pi * 2.0**2, rel=0.05)


def test_rounded_ends_of_a_stripped_brain_are_not_cut():
    brain = ball(60.0, voxel_mm=2.0, count=80)
    affine = np.diag([2.0, 2, 2, 1])
    assert cut_area_cm2(100.0 * brain, brain, affine) == 0


def test_empty_slices_count_inside_the_brain_only():
    brain = ball(20.0)
    raw = np.where(ball(25.0), 100.0, 0)
    assert dark_slices(raw, brain) == 0
    raw[:, :, 28:31] = 0
    raw[40] = np.random.default_rng(0).random((60, 60))  # noise for a slice
    raw[:, :4] = 0
    assert dark_slices(raw, brain) == 4
    assert dark_slices(raw, brain & False) == 0


def test_contrast_counts_the_noise():
    rng = np.random.default_rng(1)
    white = np.zeros((30, 30, 30))
    white[:, :, 15:] = 1
    noise = rng.normal(0, 0.1, white.shape)
    reference = Reference(white, 1 - white, white, np.ones(white.shape, bool))
    everywhere = reference.brain_mask
    found = tissue_contrast(0.5 + 0.3 * white + noise, everywhere, reference, ~everywhere)
    assert found["contrast"] == pytest.approx(3, rel=0.05)
    assert found["white_snr"] == pytest.approx(8, rel=0.05)
    assert found["joint_variation"] == pytest.approx(2 / 3, rel=0.05)


def test_good_numbers_are_accepted():
    verdict = judge(good_numbers(), QualitySettings())
    assert verdict.status == "accepted"
    assert verdict.reasons == []


@pytest.mark.parametrize(
    ("name", "value", "status", "words"),
    [
        ("mask_volume_ml", 700.0, "flagged", "mask volume in ml is 700, below 900"),
        ("cut_area_cm2", 30.0, "flagged", "field of view"),
        ("bias_range", 9.0, "flagged", "bias field range is 9, above 5"),
        ("scale_y", 1.7, "flagged", "y scale"),
        ("shear_yz", -0.4, "flagged", "yz shear"),
        ("template_overlap", 0.91, "flagged", "overlap"),
        ("template_overlap", 0.5, "rejected", "overlap with the template is 0.5, below 0.8"),
        ("template_correlation", 0.1, "rejected", "correlation"),
        ("contrast", 0.1, "flagged", "white to grey matter is 0.1, below 0.6: noise, or no T1"),
        ("dark_slices", 2.0, "flagged", "slices without signal inside the brain is 2"),
        ("residual_degrees", 9.0, "flagged", "the registration may be wrong"),
        ("residual_mm", 8.0, "flagged", "in mm, is 8, above 5"),
        ("rotation_degrees", 175.0, "flagged", "the header may name the axes wrongly"),
    ],
)
def test_reasons_are_given_in_words(name, value, status, words):
    verdict = judge({**good_numbers(), name: value}, QualitySettings())
    assert verdict.status == status
    assert len(verdict.reasons) == 1
    assert words in verdict.reasons[0]


def test_a_rejected_scan_is_described_whole_but_no_number_twice():
    numbers = {**good_numbers(), "template_correlation": -0.4, "contrast": -2.0}
    verdict = judge(numbers, QualitySettings())
    assert verdict.status == "rejected"
    assert [reason.split(" is ")[0] for reason in verdict.reasons] == [
        "correlation with the template",
        "contrast of white to grey matter",
    ]


@pytest.fixture(scope="module")
def measure_template(head):
    """Return a function that measures the template after a change of its voxels."""
    reference = sample_reference(Grid(head.volume.shape, head.affine))

    def apply(change, affine=None):
        brain = change(reference.t1)
        affine = head.affine if affine is None else affine
        scan = NativeScan(head.volume, head.volume, head.mask, affine)
        numbers = measure(scan, np.eye(4), brain, head.mask, reference, head.affine)
        return {"mask_score": 1.0, **numbers}

    return apply


def test_the_template_itself_is_accepted(measure_template):
    numbers = measure_template(lambda t1: t1)
    assert set(numbers) == set(good_numbers())
    assert numbers["template_overlap"] == 1
    assert numbers["residual_mm"] < 0.01
    assert judge(numbers, QualitySettings()).status == "accepted"
    found = {"way": "deepbet", "score": 0.9, "tried": {}}
    numbers.pop("mask_score")  # it comes with the mask
    record = quality_record(numbers, found, "AA==")
    assert record["numbers"]["affine_determinant"] == 1
    assert record["numbers"]["mask_score"] == 0.9
    assert record["mask"] == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t1: np.where(t1 > 0, 1.2 - t1, 0), "contrast of white to grey matter"),
        (lambda t1: t1[:, ::-1], "turn by which the brain would still fit"),
        (lambda t1: t1[:, :, ::-1], "correlation with the template"),
        (lambda t1: (t1 > 0).astype(float), "contrast of white to grey matter"),
    ],
    ids=["inverted contrast", "back to front", "upside down", "no contrast"],
)
def test_wrong_images_are_never_accepted(measure_template, change, words):
    verdict = judge(measure_template(change), QualitySettings())
    assert verdict.status != "accepted"
    assert any(words in reason for reason in verdict.reasons)


@pytest.fixture(scope="module")
def widen(head):
    """Return a function that fills half of the template's white matter with fluid, from inside."""
    reference = sample_reference(Grid(head.volume.shape, head.affine))
    tissue = reference.grey + reference.white > 0.5
    depth = ndimage.distance_transform_edt(reference.brain_mask) * (reference.white > 0.5)
    inner = tissue & (depth > np.median(depth[depth > 0]))

    def apply(t1):
        return np.where(inner, 0.05, 0.85 * t1)

    return apply


def test_wide_ventricles_break_no_limit(measure_template, widen):
    numbers = measure_template(widen)
    assert judge(numbers, QualitySettings()).status == "accepted", numbers
    assert numbers["contrast"] > 1


def test_dark_white_matter_of_another_contrast_is_no_fluid(measure_template):
    numbers = measure_template(lambda t1: np.where(t1 > 0, 1.2 - t1, 0))
    assert numbers["contrast"] < 0
    assert numbers["template_correlation"] < 0


def test_noise_is_no_fluid(measure_template):
    noise = np.random.default_rng(0)
    numbers = measure_template(lambda t1: np.where(t1 > 0, noise.random(t1.shape), 0))
    assert abs(numbers["contrast"]) < 0.1


def test_a_coil_profile_cuts_nothing(head):
    reference = sample_reference(Grid(head.volume.shape, head.affine))
    profile = 1000.0 ** -np.linspace(0, 1, head.volume.shape[2])
    scan = NativeScan(head.volume * profile, head.volume, head.mask, head.affine)
    assert cut_area_cm2(scan.raw, head.mask, head.affine) > 0
    numbers = measure(scan, np.eye(4), reference.t1, head.mask, reference, head.affine)
    assert numbers["cut_area_cm2"] == numbers["dark_slices"] == 0
