"""The embedded network at work: the body it looks at, and what its answers are put together to."""

import numpy as np
import pytest
import torch

from brainlapse.networks.segmenter import build_segmenter
from brainlapse.segmentation.classes import CLASSES, PAIRED, class_table
from brainlapse.segmentation.embedded import network as embedded
from brainlapse.segmentation.embedded.network import Network, find_body, load_network, segment_brain
from brainlapse.segmentation.embedded.posteriors import largest_piece
from brainlapse.segmentation.errors import ImplausibleImage
from brainlapse.segmenter import synthesis
from brainlapse.space import grid_at
from brainlapse.template import load_template, load_template_brain
from tests.unit.segmentation.planted import ball_share, posteriors_of, volumes_of, world_of

CPU = torch.device("cpu")
CENTRE = (0, -17, 5)
COARSE = grid_at(2.5, (64, 80, 64))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def use_grid(monkeypatch):
    """Return a function that lets the network see a smaller part of MNI space."""

    def apply(shape):
        grid = grid_at(1.0, shape)
        monkeypatch.setattr(embedded, "GRID", grid)
        monkeypatch.setattr(embedded, "SHAPE", shape)
        return grid

    return apply


def ball(radius_mm, centre_mm=CENTRE):
    return ball_share(world_of(COARSE), centre_mm, radius_mm, 1e-6) > 0.5


def brightness():
    return np.random.default_rng(0).uniform(400, 800, COARSE.shape)


def test_the_grid_is_the_one_trained_on():
    assert embedded.SHAPE == synthesis.SHAPE
    assert np.array_equal(embedded.GRID.affine, synthesis.GRID.affine)


def test_body_is_the_brain_with_its_ventricles():
    ventricles = ball(15) | ball(10, (30, -20, 10))
    volume = np.where(ball(65) & ~ventricles, brightness(), 0)
    assert np.array_equal(find_body(volume, 2.5), ball(65))


def test_specks_and_faint_background_are_no_body():
    specks = ball(6, (70, 60, 70)) | ball(4, (-70, -90, -60))
    faint = np.random.default_rng(1).uniform(0, 5, COARSE.shape)  # as decoders leave it
    volume = np.where(ball(62) | specks, brightness(), faint)
    assert np.array_equal(find_body(volume, 2.5), ball(62))


def test_body_at_the_edge_of_the_volume_stays_whole():
    half = ball(70)[:, :, 32:]  # cut through its middle
    assert np.array_equal(find_body(np.where(half, 500.0, 0), 2.5), half)


@pytest.mark.parametrize(
    ("volume", "found_ml"),
    [
        (np.zeros(COARSE.shape), "0"),
        (np.where(ball(30), 500.0, 0), "11."),
        (np.full(COARSE.shape, 3.0), "5120"),
        (np.random.default_rng(2).normal(0, 1, COARSE.shape), "[345]..."),
    ],
    ids=["empty", "too small", "uniform", "noise"],
)
def test_what_has_not_a_brains_size_is_refused(volume, found_ml):
    with pytest.raises(ImplausibleImage, match=f"expected a brain, found a body of {found_ml} ml"):
        find_body(volume, 2.5)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors: expected .* train_segmenter"):
        load_network(tmp_path / "none.safetensors", cpu=True)


class ReadsClasses(torch.nn.Module):
    """Stand-in that knows the truth: intensities are class numbers, x > 0 is right.

    It goes through the blocks as the network's documentation says, in plain loops.
    """

    def forward(self, volume, blocks_mm, wanted):
        rows = []
        for b, i, j, k in wanted.nonzero().tolist():
            block = [slice(2 * n, 2 * n + 2) for n in (i, j, k)]
            numbers = volume[b, 0][tuple(block)].reshape(8).round().long()
            logits = torch.full((8, CLASSES + 1), -20.0)
            logits[torch.arange(8), numbers] = 20.0
            logits[:, CLASSES] = 20.0 * torch.sign(blocks_mm[b, 0, i, j, k])
            rows.append(logits)
        return torch.stack(rows)


@pytest.mark.parametrize("fast", [True, False])
def test_every_voxel_gets_its_own_answer(use_grid, monkeypatch, fast):
    """Every voxel has another class than its neighbours: no two can be exchanged unseen.

    The mirrored look sees the same image mirrored, so it must be mirrored back in place and side.
    """
    grid = use_grid((16, 12, 8))
    monkeypatch.setattr(embedded, "normalise", lambda volume, mask, settings: volume)
    monkeypatch.setattr(embedded, "clean", lambda posteriors: posteriors)
    random = np.random.default_rng(0)
    classes = random.integers(1, CLASSES, grid.shape)
    mask = random.random(grid.shape) < 0.7
    network = Network(ReadsClasses(), CPU, half=False)
    found = segment_brain((classes * mask).astype(np.float32), mask, network, fast=fast)
    assert found.rows.dtype == torch.float32
    shares, right = volumes_of(found)
    assert np.array_equal(shares.argmax(axis=0), classes * mask)
    assert shares.sum(axis=0) == pytest.approx(np.ones(grid.shape), abs=1e-5)
    assert (shares[0][~mask] == 1).all()
    on_right = world_of(grid)[0] > 0
    assert np.array_equal((right > 0.5)[mask], on_right[mask])


def test_posteriors_are_cleaned(use_grid, monkeypatch):
    grid = use_grid((16, 16, 16))
    monkeypatch.setattr(embedded, "normalise", lambda volume, mask, settings: volume)
    stem = int(class_table()[16])
    volume = np.full(grid.shape, 1, dtype=np.float32)
    volume[2:5, 2:5, 2:5] = stem
    volume[10, 10, 10] = stem
    found = segment_brain(volume, volume > 0, Network(ReadsClasses(), CPU, half=False), fast=True)
    labels = volumes_of(found)[0].argmax(axis=0)
    assert (labels == stem).sum() == 27
    assert np.array_equal(largest_piece(labels == stem), labels == stem)


def mirrored(posteriors):
    shares, right = volumes_of(posteriors)
    return shares[:, ::-1], 1 - right[::-1]


def test_mirror_image_gives_mirrored_posteriors_with_sides_swapped(use_grid, monkeypatch):
    """Holds for any weights, as both looks are taken at either image; not for one look."""
    grid = use_grid((32, 48, 32))
    monkeypatch.setattr(embedded, "clean", lambda posteriors: posteriors)
    torch.manual_seed(0)
    network = Network(build_segmenter(CLASSES, CPU).eval().requires_grad_(False), CPU, half=False)
    volume = np.random.default_rng(0).random(grid.shape).astype(np.float32)
    mask = ball_share(world_of(grid), CENTRE, 22, 1e-6) > 0.5
    mask[:10] = False  # not its own mirror image
    flipped = np.ascontiguousarray(volume[::-1]), np.ascontiguousarray(mask[::-1])
    for fast, same in ((False, True), (True, False)):
        one = volumes_of(segment_brain(volume, mask, network, fast=fast))
        other = mirrored(segment_brain(*flipped, network, fast=fast))
        assert np.allclose(one[0], other[0], atol=1e-6) == same
        assert np.allclose(one[1][mask], other[1][mask], atol=1e-6) == same


@pytest.fixture(scope="module")
def middle():
    """The middle of the template, the network's own weights, and its answer."""
    shape = (96, 112, 80)
    grid = grid_at(1.0, shape)
    volume, mask = load_template_brain(grid)
    network = load_network(cpu=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "GRID", grid)
        patch.setattr(embedded, "SHAPE", shape)
        torch.set_num_threads(1)
        posteriors = segment_brain(volume, mask, network)
        flipped = np.ascontiguousarray(volume[::-1]), np.ascontiguousarray(mask[::-1])
        other = segment_brain(*flipped, network)
    return grid, mask, posteriors, other


def test_own_weights_agree_with_the_template(middle):
    """The template's tissues come from another method; they are independent of the network."""
    grid, mask, posteriors, _ = middle
    labels, template = posteriors.labels(), load_template(grid)
    assert ((labels > 0) == mask).mean() > 0.95
    x = world_of(grid)[0]
    for left, right in ((17, 53), (4, 43), (10, 49), (2, 41)):
        assert (x[labels == left] < 4).mean() > 0.99, left
        assert (x[labels == right] > -4).mean() > 0.99, right
        sizes = [(labels == label).sum() for label in (left, right)]
        assert min(sizes) > 0.7 * max(sizes)
    white = np.isin(labels, (2, 41)) & mask
    assert 2 * (white & (template.white > 0.5)).sum() > 0.8 * (
        white.sum() + (template.white > 0.5).sum()
    )
    fluid = mask & (template.grey + template.white < 0.5)
    assert fluid[np.isin(labels, (4, 43))].mean() > 0.6


def test_own_weights_mirror(middle):
    _, mask, posteriors, other = middle
    shares, right = mirrored(other)
    labels = posteriors.labels()
    flipped = posteriors_of(shares, right).labels()
    paired = PAIRED[class_table()[labels]]
    assert (labels == flipped)[mask].mean() > 0.9999
    assert (labels == flipped)[paired].mean() > 0.9999
    assert np.abs(volumes_of(posteriors)[0] - shares).max(axis=0).mean() < 1e-4
