"""The study of the families: planted blocks, and an autoencoder that is exactly linear."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from benchmarks import families
from brainlapse.images import load_volume, save_volume
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.runtime import write_table
from brainlapse.segmentation.result import Segmentation
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training import principal
from brainlapse.training.model import trained as model
from brainlapse.training.settings import AutoencoderSettings

SHAPE = (32, 32, 32)
INSIDE = np.ones(SHAPE, dtype=bool)
SPACE = SpaceSettings(voxel_mm=6.0, shape=SHAPE)
AFFINE = mni_grid(SPACE).affine
PAIRS = np.array([[0, 1], [2, 3]])


def noise(seed, shape=SHAPE):
    return np.random.default_rng(seed).normal(size=shape)


def constant_blocks(factor):
    return np.kron(noise(1, tuple(size // factor for size in SHAPE)), np.ones((factor,) * 3))


def made_scans():
    """Twelve smooth volumes of 0.3 to 0.7: a clamp to 0 to 1 changes nothing."""
    smooth = ndimage.gaussian_filter(noise(2, (12, *SHAPE)), (0, 2, 2, 2))
    return (0.3 + 0.4 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def linear_settings():
    return AutoencoderSettings.model_validate({"network": {"family": "pca", "latent_size": 5}})


def by_intensity(power):
    """Stand-in for the segmenter: every region is the sum of a power of the intensities."""

    def segment(paths, settings, threads):
        sums = [float((load_volume(path)[0].astype(np.float64) ** power).sum()) for path in paths]
        return [Segmentation(dict.fromkeys(families.JUDGED_REGIONS, one), None) for one in sums]

    return segment


@pytest.mark.parametrize("factor", [4, 8])
def test_blocks_of_one_value_step_at_their_faces_only(factor):
    blocks = constant_blocks(factor)
    assert families.block_ratio(blocks, INSIDE, factor) == np.inf
    assert np.isnan(families.block_ratio(np.zeros(SHAPE), INSIDE, factor))


@pytest.mark.parametrize("share", [0.5, 1.0, 3.0])
def test_blocks_in_noise_give_the_planted_ratio(share):
    """Steps of white noise have twice its variance, everywhere; those of blocks at faces only."""
    blocks = constant_blocks(4)
    steps = np.concatenate([np.diff(blocks[::4, ::4, ::4], axis=axis).ravel() for axis in range(3)])
    expected = 1 + share**2 * np.mean(steps**2) / 2
    found = families.block_ratio(noise(3) + share * blocks, INSIDE, 4)
    assert found == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0])
def test_noise_and_smooth_residuals_show_no_blocks(sigma):
    # Mirrored edges would be flatter, and no face of a block lies there.
    residual = ndimage.gaussian_filter(noise(4, (96, 96, 96)), sigma, mode="wrap")
    inside = np.ones(residual.shape, dtype=bool)
    assert families.block_ratio(residual, inside, 4) == pytest.approx(1, abs=0.03)
    ramp = np.indices(SHAPE).sum(axis=0)
    assert families.block_ratio(ramp, INSIDE, 8) == 1


def test_steps_out_of_the_mask_do_not_count():
    inside = np.zeros(SHAPE, dtype=bool)
    inside[2:14, 2:14, 2:14] = True
    blocks = 10 * constant_blocks(4)
    image = noise(5) + np.where(inside, 0, blocks)
    assert families.block_ratio(image, inside, 4) == pytest.approx(1, abs=0.15)
    assert families.block_ratio(image, INSIDE, 4) > 10


def test_pairs_share_no_scan_as_long_as_possible():
    assert families.pair_up(6, 3).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert families.pair_up(6, 99).tolist()[3:] == [[1, 2], [3, 4], [5, 0]]
    assert families.pair_up(2, 99).tolist() == [[0, 1]]


def test_the_distance_from_the_blend_is_in_distances_of_the_ends():
    ends = made_scans()[:4].reshape(2, 2, *SHAPE).astype(np.float64)
    blend, inside = ends.mean(axis=1), np.stack([INSIDE, INSIDE])
    assert families.off_blend(ends, blend, inside) == 0
    assert families.off_blend(ends, ends[:, 0], inside) == pytest.approx(0.5)
    inside[:, :16] = False
    blend[:, :16] = 9
    assert families.off_blend(ends, blend, inside) == 0


def test_latents_that_move_are_measured_by_the_distance_of_the_ends():
    latents = np.zeros((6, 3, 1, 1, 1))
    latents[1, 0], latents[3, 1] = 4, 8  # distances 4 and 8
    again = latents.copy()
    again[4, 2], again[5, 2] = 1, 1  # midpoints: 1/4 and 1/8
    again[0, 2] -= 2  # an end: half of 2/4, and 0
    assert families.re_encoded(latents, again, PAIRS) == pytest.approx((0.1875, 0.125))


def test_volumes_of_midpoints_beside_those_of_the_ends(monkeypatch):
    ends = np.ones((2, 2, *SHAPE)) * np.array([1, 3])[:, None, None, None]
    middles, inside = ends.mean(axis=1), np.stack([INSIDE, INSIDE])
    monkeypatch.setattr(families, "segment_scans", by_intensity(1))
    linear = families.region_columns(ends, middles, inside, AFFINE)
    assert linear["hippocampus [%]"] == pytest.approx((0, 100))
    monkeypatch.setattr(families, "segment_scans", by_intensity(2))  # 1, 9, and 4 instead of 5
    assert families.region_columns(ends, middles, inside, AFFINE)[
        "grey_matter [%]"
    ] == pytest.approx((20, 160))


def test_a_pair_without_volumes_is_left_out(monkeypatch):
    ends = np.ones((2, 2, *SHAPE)) * np.array([1, 3])[:, None, None, None]
    inside = np.stack([INSIDE, INSIDE])

    def segment(paths, settings, threads):
        found = by_intensity(1)(paths, settings, threads)
        return [*found[:-1], Segmentation(dict.fromkeys(families.JUDGED_REGIONS, np.nan), None)]

    monkeypatch.setattr(families, "segment_scans", segment)
    found = families.region_columns(ends, ends.mean(axis=1), inside, AFFINE)
    assert found["pairs"] == (1,)
    assert found["ventricles [%]"] == pytest.approx((0, 100))


@pytest.fixture
def results(tmp_path):
    """A finished run as small as the study needs it: `pca`, and an `s2d` of random weights."""
    volumes = made_scans()
    names = [f"sub-{number}" for number in range(len(volumes))]
    index = pd.DataFrame({"dataset": "made", "subject": names, "scan": names})
    index["split"] = ["train"] * 8 + ["test"] * 4
    index["scan_path"] = [f"made/{name}/{name}" for name in names]
    for stem, volume in zip(index["scan_path"], volumes, strict=True):
        start = tmp_path / f"preprocess/{stem}_space-MNI_desc-brain"
        save_volume(f"{start}_T1w.nii.gz", volume, AFFINE)
        save_volume(f"{start}_mask.nii.gz", INSIDE.astype(np.uint8), AFFINE)
    save_volume(tmp_path / "baselines/mean_image.nii.gz", volumes[:8].mean(axis=0), AFFINE)
    linear = principal.linear_autoencoder(
        principal.principal_components(volumes[:8], 5), linear_settings(), SHAPE
    )
    blocky = AutoencoderSettings(network=NetworkSettings(channels=(8,), correction_channels=0))
    kept = {"pca": (linear_settings(), linear)}
    kept["s2d"] = (blocky, build_autoencoder(blocky.network, SHAPE))
    for name, (settings, network) in kept.items():
        folder = tmp_path / "autoencoder" / name
        model.save_weights(folder / "model.safetensors", network.state_dict())
        card = {
            "settings": settings.model_dump(mode="json"),
            "grid": {"shape": SHAPE},
            "contract": {},
        }
        model.save_card(folder / "config.json", card | {"latent_shape": [5, 1, 1, 1]})
        history = pd.DataFrame({"epoch": [0, 1], "step": [4, 8], "seconds": [3.0, 6.0]})
        write_table(folder / "history.tsv", history)
        write_table(tmp_path / "latents" / name / "index.tsv", index)
    return tmp_path


def test_the_table_of_a_run(results, monkeypatch, capsys):
    monkeypatch.setattr(families, "segment_scans", by_intensity(1))
    models = families.find_models(results)
    assert models == ["pca", "s2d"]
    rows = dict(families.measure(results, models, 2))
    assert list(rows) == ["scans", "mean image", "pca", "s2d"]
    pca, s2d = rows["pca"], rows["s2d"]
    assert pca["off the blend"][0] == pytest.approx(0, abs=1e-5)
    assert pca["re-encoded"] == pytest.approx((0, 0), abs=1e-4)
    off, apart = pca["ventricles [%]"]
    assert off < 1e-3 * apart
    assert pca["training [s/step / s]"] == (0.75, 6.0)
    # Fresh s2d: mean and slopes of every block. Smooth scans hide blocks, its images show them.
    assert s2d["blocks of 4"][1] > 1.05 * rows["scans"]["blocks of 4"][1]
    assert rows["scans"]["off the blend"] == (0,)
    families.show(rows)
    lines = capsys.readouterr().out.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| scans |")


def test_a_run_without_two_test_scans_is_refused(results):
    path = results / "latents/pca/index.tsv"
    path.write_text(path.read_text().replace("test", "train"))
    with pytest.raises(SystemExit, match="expected at least 2 test scans, found 0"):
        next(families.measure(results, ["pca"], 2))
