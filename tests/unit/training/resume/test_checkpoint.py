"""The resume folder: whole files, and a reason where it does not fit."""

import io
import logging

import pytest
import torch

from brainlapse import ownership
from brainlapse.training.resume.checkpoint import ResumeFolder


def test_another_setup_starts_afresh_and_says_why(tmp_path, caplog):
    first = ResumeFolder(tmp_path, "model", {"seed": 0, "settings": {"a": (1, 2)}}, 5)
    first.open()
    first.save({"step": 3})
    with caplog.at_level(logging.INFO):
        second = ResumeFolder(tmp_path, "model", {"seed": 1, "settings": {"a": (1, 2)}}, 5)
        second.open()
    assert second.restore(dict) is None
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
    assert again.restore(dict)["step"] == 3
    ownership.remove_finished(tmp_path.parent)
    assert again.path.exists()


def test_a_state_goes_when_its_run_ends_well(tmp_path):
    done, other = (ResumeFolder(tmp_path / ".resume", name, {"seed": 0}, 5) for name in "ab")
    for resume in (done, other):
        resume.open()
        resume.save({"step": 3})
    done.finish()
    assert done.restore(dict) == {"step": 3}  # whoever makes the outputs again has them at once
    ownership.remove_finished(tmp_path)
    assert not done.path.exists()
    assert other.path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"<html>quota exceeded</html>",
        lambda content: packed(["no", "mapping"]),
        lambda content: packed({"weights": torch.zeros(3)}),
    ],
)
def test_a_damaged_or_foreign_checkpoint_is_moved_aside(tmp_path, caplog, damage):
    resume = ResumeFolder(tmp_path, "model", {"seed": 0}, 5)
    resume.open()
    resume.save({"step": 3, "weights": torch.ones(200)})
    path = resume.path / "state.pt"
    path.write_bytes(damage(path.read_bytes()))
    assert resume.restore(lambda state: state["step"]) is None
    assert f"{path}: the checkpoint can't be used" in caplog.text
    assert [entry.name for entry in resume.path.glob("state*")] == ["state.damaged"]
    resume.save({"step": 1})
    assert resume.restore(dict) == {"step": 1}


def packed(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), OSError(5, "EIO")]
)
def test_want_of_memory_throws_no_checkpoint_away(tmp_path, error):
    resume = ResumeFolder(tmp_path, "model", {"seed": 0}, 5)
    resume.open()
    resume.save({"step": 3})

    def fail(state):
        raise error

    with pytest.raises(type(error)):
        resume.restore(fail)
    assert resume.restore(dict) == {"step": 3}


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
    assert resume.restore(dict) == {"step": 1}
    assert [path.name for path in resume.path.iterdir() if path.name.startswith(".")] == []
