"""The resume folder: whole files, and a reason where it does not fit."""

import logging

import pytest
import torch

from brainlapse.training.resume.checkpoint import ResumeFolder


def test_another_setup_starts_afresh_and_says_why(tmp_path, caplog):
    first = ResumeFolder(tmp_path, "model", {"seed": 0, "settings": {"a": (1, 2)}}, 5)
    first.open()
    first.save({"step": 3})
    with caplog.at_level(logging.INFO):
        second = ResumeFolder(tmp_path, "model", {"seed": 1, "settings": {"a": (1, 2)}}, 5)
        second.open()
    assert second.load() is None
    assert "afresh: seed changed" in caplog.text
    assert not first.path.exists()


def test_the_same_setup_finds_its_checkpoint_and_other_models_are_left_alone(tmp_path):
    other = ResumeFolder(tmp_path, "model-b", {"seed": 0}, 5)
    other.open()
    first = ResumeFolder(tmp_path, "model", {"seed": 0}, 5)
    first.open()
    first.save({"step": 3, "weights": torch.ones(2)})
    again = ResumeFolder(tmp_path, "model", {"seed": 0}, 5)
    again.open()
    assert again.load()["step"] == 3
    again.remove()
    assert not first.path.exists()
    assert other.path.exists()


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, monkeypatch):
    resume = ResumeFolder(tmp_path, "model", {"seed": 0}, 5)
    resume.open()
    resume.save({"step": 1})

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        resume.save({"step": 2})
    monkeypatch.undo()
    assert resume.load() == {"step": 1}
    assert [path.name for path in resume.path.iterdir() if path.name.startswith(".")] == []
