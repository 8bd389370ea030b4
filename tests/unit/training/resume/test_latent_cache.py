"""Only what is new is encoded, and the result is that of a fresh run."""

import os

import numpy as np
import pytest
import torch

from brainlapse.images import save_volume
from brainlapse.networks.autoencoders import build_autoencoder
from brainlapse.networks.settings import NetworkSettings
from brainlapse.training.model import trained as model
from brainlapse.training.resume.latent_cache import (
    LatentCache,
    Source,
    describe_encoding,
    encode_cohort,
)
from brainlapse.training.settings import EncodingSettings

CPU = torch.device("cpu")
SHAPE = (16, 16, 16)
SETTINGS = EncodingSettings(batch_size=2)
CONTRACT = {"mask": {"method": "deepbet"}}


class Counting(torch.nn.Module):
    """Counts the volumes that the network encodes."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.encoded = inner, 0

    def encode(self, volume):
        self.encoded += int((volume.amax(dim=(1, 2, 3, 4)) > 0).sum())  # fillers are empty
        return self.inner.encode(volume)


@pytest.fixture
def network():
    torch.manual_seed(0)
    inner = build_autoencoder(NetworkSettings(channels=(8, 16), residual_blocks=1), (16, 16, 16))
    for weights in inner.parameters():
        weights.data += 0.05 * torch.randn_like(weights)
    return Counting(inner.eval())


@pytest.fixture
def weights(network, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save_weights(path, network.inner.state_dict())
    model.save_card(tmp_path / "config.json", {})
    return path


def write_scan(folder, number):
    path = folder / f"sub-{number}_brain.nii.gz"
    random = np.random.default_rng(number)
    save_volume(path, random.random(SHAPE, dtype=np.float32), np.eye(4))
    return Source(f"made/sub-{number}/sub-{number}", path)


@pytest.fixture
def encode(network, weights, tmp_path):
    def run(sources, contract=CONTRACT, settings=SETTINGS, code=None, root=None):
        identity = describe_encoding(weights, contract, settings, code or {"a.py": "1"}, CPU)
        cache = LatentCache(root or tmp_path / "cache", "klae", identity)
        cache.open()
        before = network.encoded
        latents = encode_cohort(network, cache, sources, SHAPE, settings, CPU, threads=2)
        return latents, network.encoded - before

    return run


def test_added_scans_alone_are_encoded_and_equal_a_fresh_run(encode, tmp_path, caplog):
    caplog.set_level("INFO", logger="brainlapse")
    sources = [write_scan(tmp_path, number) for number in range(5)]
    first, count = encode(sources[1:4])
    assert count == 3
    again, count = encode(sources)
    assert count == 2
    assert "2 of 5 scans to encode, the rest unchanged" in caplog.text
    fresh, count = encode(sources, root=tmp_path / "another")
    assert count == 5
    for found, expected, part in zip(again, fresh, first, strict=True):
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found[1:4], part)
    assert encode(sources)[1] == 0


def test_a_changed_scan_is_encoded_again_a_touched_one_is_not(encode, tmp_path):
    sources = [write_scan(tmp_path, number) for number in range(3)]
    before, _ = encode(sources)
    os.utime(sources[0].brain, (1, 1))
    assert encode(sources)[1] == 0
    save_volume(sources[1].brain, np.full(SHAPE, 0.5, np.float32), np.eye(4))
    after, count = encode(sources)
    assert count == 1
    assert (after[0][1] != before[0][1]).any()
    np.testing.assert_array_equal(after[0][::2], before[0][::2])


def test_another_model_contract_code_or_pass_encodes_everything(
    encode, network, weights, tmp_path, caplog
):
    caplog.set_level("INFO", logger="brainlapse")
    sources = [write_scan(tmp_path, number) for number in range(3)]
    encode(sources)
    assert encode(sources, contract={"mask": {"method": "other"}})[1] == 3
    assert "afresh: contract changed" in caplog.text
    assert encode(sources, code={"a.py": "2"})[1] == 3
    assert encode(sources, settings=EncodingSettings(batch_size=3))[1] == 3
    encode(sources)
    first = next(iter(network.inner.parameters()))
    first.data += 0.1
    model.save_weights(weights, network.inner.state_dict())
    assert encode(sources)[1] == 3
    assert "afresh: weights changed" in caplog.text
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_killed_job_goes_on_and_a_torn_file_is_encoded_again(
    encode, network, tmp_path, monkeypatch
):
    sources = [write_scan(tmp_path, number) for number in range(5)]
    plain = network.inner.encode

    def killed(volume):
        if network.encoded > 2:
            raise KeyboardInterrupt
        return plain(volume)

    monkeypatch.setattr(network.inner, "encode", killed)
    with pytest.raises(KeyboardInterrupt):
        encode(sources)
    monkeypatch.setattr(network.inner, "encode", plain)
    _, count = encode(sources)
    assert count == 3
    torn = next((tmp_path / "cache").rglob("sub-4.safetensors"))
    torn.write_bytes(torn.read_bytes()[:40])
    assert encode(sources)[1] == 1


def test_scans_that_left_the_cohort_leave_the_cache(encode, tmp_path):
    sources = [write_scan(tmp_path, number) for number in range(3)]
    encode(sources)
    encode(sources[:2])
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 2
