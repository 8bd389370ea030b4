"""The segmenter's network: the order of its rows, where blocks lie, and what it may see."""

import itertools

import pytest
import torch

from brainlapse.networks.segmenter import (
    BLOCK,
    GRID_FACTOR,
    ConvolutionPair,
    Segmenter,
    block_positions,
    block_rows,
    build_segmenter,
    mask_blocks,
)
from brainlapse.networks.space_to_depth import depth_to_space
from brainlapse.space import grid_at

SHAPE = (16, 32, 16)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def painted(batch=2):
    """Volumes (B, D, H, W) in which every voxel has a value of its own."""
    return torch.arange(batch * 16 * 32 * 16, dtype=torch.float32).view(batch, *SHAPE)


def some_blocks(batch=2):
    return torch.rand((batch, 8, 16, 8), generator=torch.Generator().manual_seed(0)) < 0.4


def test_rows_are_the_wanted_blocks_voxel_by_voxel():
    volume, wanted = painted(), some_blocks()
    rows = block_rows(volume, wanted)
    assert rows.shape == (int(wanted.sum()), 8)
    for row, (b, i, j, k) in zip(rows, wanted.nonzero().tolist(), strict=True):
        voxels = itertools.product(range(2), repeat=3)
        expected = [volume[b, 2 * i + x, 2 * j + y, 2 * k + z] for x, y, z in voxels]
        assert row.tolist() == expected


def test_rows_put_back_give_the_volume():
    volume, wanted = painted(), some_blocks()
    blocks = torch.full((2, 8, 16, 8, 8), -1.0)
    blocks[wanted] = block_rows(volume, wanted)
    back = depth_to_space(blocks.permute(0, 4, 1, 2, 3), BLOCK)[:, 0]
    kept = wanted.repeat_interleave(2, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(back, torch.where(kept, volume, -1))


def test_the_networks_rows_come_in_the_same_order():
    """The last layers are replaced by ones that hand the blocks of a painted volume on."""
    volume, wanted = painted(), some_blocks()
    model = Segmenter(classes=2, channels=(8, 8, 8, 8)).eval()
    blocks = block_rows(volume, torch.ones_like(wanted)).view(2, 8, 16, 8, 8)

    class GivesBlocks(torch.nn.Module):
        def forward(self, maps):
            assert maps.shape[2:] == (8, 16, 8)
            return blocks.permute(0, 4, 1, 2, 3)

    class Repeats(torch.nn.Module):
        def forward(self, rows):
            return rows[:, :, None].expand(-1, -1, 3).flatten(1)

    model.decoder[0], model.head = GivesBlocks(), Repeats()
    with torch.no_grad():
        logits = model(volume[:, None] / 2e4, torch.zeros((2, 3, 8, 16, 8)), wanted)
    assert logits.shape == (int(wanted.sum()), 8, 3)
    for output in range(3):
        assert torch.equal(logits[..., output], block_rows(volume, wanted))


def test_feature_maps_are_finest_first():
    model = build_segmenter(3, CPU).eval()
    with torch.no_grad():
        levels = model.features(torch.zeros((1, 1, 32, 16, 16)), torch.zeros((1, 3, 16, 8, 8)))
    assert [tuple(maps.shape) for maps in levels] == [
        (1, 32, 16, 8, 8), (1, 64, 8, 4, 4), (1, 128, 4, 2, 2), (1, 160, 2, 1, 1),
    ]  # fmt: skip
    assert GRID_FACTOR == 16


def test_wanted_blocks_do_not_depend_on_which_others_are_wanted():
    torch.manual_seed(0)
    model = build_segmenter(4, CPU).eval()
    volume = torch.rand((1, 1, 16, 16, 16))
    positions = block_positions(torch.eye(4), (16, 16, 16))[None]
    every = torch.ones((1, 8, 8, 8), dtype=torch.bool)
    some = torch.zeros_like(every)
    some[0, 2:5, 3, 1:7] = True
    with torch.no_grad():
        whole, part = model(volume, positions, every), model(volume, positions, some)
    assert part.shape == (18, 8, 5)
    assert torch.allclose(whole[some.flatten()], part, atol=1e-5)
    assert whole.std() > 0.01


def test_answers_depend_on_the_place_in_mni_space():
    torch.manual_seed(0)
    model = build_segmenter(4, CPU).eval()
    volume, wanted = torch.rand((1, 1, 16, 16, 16)), torch.ones((1, 8, 8, 8), dtype=torch.bool)
    here = block_positions(torch.eye(4), (16, 16, 16))[None]
    with torch.no_grad():
        difference = model(volume, here, wanted) - model(volume, here + 40, wanted)
    assert difference.abs().max() > 1e-3


@pytest.mark.parametrize("first", [(0, 0, 0), (32, 6, 48)])
def test_positions_are_the_mean_of_the_blocks_voxels(first):
    grid = grid_at(1.0, (160, 192, 160))
    affine = torch.from_numpy(grid.affine)
    affine[0, 1] = 0.1  # oblique, so that no axis can be exchanged unseen
    found = block_positions(affine, (8, 6, 4), first)
    assert found.shape == (3, 4, 3, 2)
    for i, j, k in itertools.product(range(4), range(3), range(2)):
        voxels = [
            [f + 2 * n + o for f, n, o in zip(first, (i, j, k), offset, strict=True)]
            for offset in itertools.product(range(2), repeat=3)
        ]
        middle = torch.tensor(voxels, dtype=torch.float64).mean(dim=0)
        assert torch.allclose(
            found[:, i, j, k].double(), affine[:3, :3] @ middle + affine[:3, 3], atol=1e-4
        )


def test_positions_on_the_whole_grid_are_symmetric():
    shape = (160, 192, 160)
    positions = block_positions(torch.from_numpy(grid_at(1.0, shape).affine), shape)
    assert torch.equal(positions[0], -positions[0].flip(0))


def test_a_block_with_one_voxel_of_the_mask_is_wanted():
    mask = torch.zeros((2, 4, 4, 6), dtype=torch.bool)
    mask[0, 1, 2, 5] = mask[1, 3, 3, 0] = True
    assert mask_blocks(mask).nonzero().tolist() == [[0, 0, 1, 2], [1, 1, 1, 0]]


def test_folded_normalisation_gives_the_same_maps():
    torch.manual_seed(0)
    pair = ConvolutionPair(3, 8)
    volumes = torch.randn(2, 3, 8, 8, 8)
    for _ in range(3):
        pair(3 * volumes + 1)  # statistics to remember
    expected = pair.eval()(volumes)
    pair.fold()
    assert not any(isinstance(layer, torch.nn.BatchNorm3d) for layer in pair)
    torch.testing.assert_close(pair(volumes), expected)
