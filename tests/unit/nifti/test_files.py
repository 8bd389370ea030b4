"""Files from outside: what is no regular file of bearable size is never opened."""

import os
import socket

import pytest

from brainlapse.nifti.files import read_regular, shown
from brainlapse.rejection import ScanRejected


def pipe(path):
    os.mkfifo(path)


def bound_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


ODD = {
    "a pipe": pipe,
    "a socket": bound_socket,
    "a directory": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "an empty file": lambda path: path.touch(),
    "found an empty file; fetch": lambda path: path.symlink_to("/proc/self/mem"),
    "which does not exist": lambda path: path.symlink_to("/nowhere"),
    "which leads to itself": lambda path: path.symlink_to(path.name),
    "No such file": lambda path: None,
    "Not a directory": lambda path: path.symlink_to("/dev/null/x"),
    "at most 1 MB": lambda path: path.write_bytes(bytes(1_000_001)),
}


@pytest.mark.parametrize("found", ODD)
def test_what_is_no_regular_file_is_rejected_without_waiting(tmp_path, found):
    path = tmp_path / "sub-01_T1w.nii.gz"
    ODD[found](path)
    with pytest.raises(ScanRejected) as rejection:
        read_regular(str(path), 1_000_000)
    text = str(rejection.value)
    assert text.startswith(f"{path}: expected ")
    assert found in text
    assert ";" in text, "what to do is missing"


def test_a_closed_file_and_a_link_into_a_closed_folder(tmp_path, as_anybody):
    (tmp_path / "closed.nii").write_bytes(b"x")
    (tmp_path / "store").mkdir()
    (tmp_path / "store/a.nii").write_bytes(b"x")
    (tmp_path / "link.nii").symlink_to(tmp_path / "store/a.nii")
    for name in ("closed.nii", "store"):
        (tmp_path / name).chmod(0o000)
    for name in ("closed.nii", "link.nii"):
        with pytest.raises(ScanRejected, match="Permission denied; mend its permissions"):
            as_anybody(read_regular, str(tmp_path / name))
    (tmp_path / "store").chmod(0o755)


def test_paths_are_shown_on_one_line_in_plain_characters():
    assert shown("/data/Zürich/sub-01") == "/data/Zürich/sub-01"
    assert shown("/data/a\tb\nc") == "/data/a\\x09b\\x0ac"
    assert shown(os.fsdecode(b"/data/caf\xe9")) == "/data/caf\\xe9"
