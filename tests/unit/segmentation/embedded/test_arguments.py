"""What the command line of the embedded network accepts: options, scans, folders and lists."""

from pathlib import Path

import pytest

from brainlapse import runtime
from brainlapse.segmentation.embedded.command import (
    ONLY_SYNTHSEG,
    Task,
    UsageError,
    check_options,
    labels_name,
    list_tasks,
    main,
    parse_arguments,
)
from tests.unit.segmentation.planted import write_lists


@pytest.fixture(autouse=True)
def lasting_changes(monkeypatch):
    """None to the tests' process."""
    monkeypatch.setattr(runtime, "keep_memory", lambda: None)
    monkeypatch.setattr(runtime, "limit_threads", lambda threads: None)


def test_defaults_and_options():
    wanted = parse_arguments(["--i", "a", "--o", "b"])
    assert (wanted.i, wanted.o, wanted.vol, wanted.threads) == ("a", "b", None, 1)
    assert not any((wanted.cpu, wanted.fast, wanted.keepgeom, wanted.mni))
    line = "--i a --o b --vol c.csv --threads 3 --cpu --fast --keepgeom --mni"
    wanted = parse_arguments(line.split())
    assert (wanted.vol, wanted.threads) == ("c.csv", 3)
    assert all((wanted.cpu, wanted.fast, wanted.keepgeom, wanted.mni))
    check_options(wanted)


@pytest.mark.parametrize("line", ["", "--i a", "--o b", "--i a --o b --unheard"])
def test_incomplete_or_unknown_arguments_end_with_2(line, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse_arguments(line.split())
    assert stopped.value.code == 2
    assert "usage: python -m brainlapse.segmentation" in capsys.readouterr().err


@pytest.mark.parametrize("option", ONLY_SYNTHSEG)
@pytest.mark.parametrize("value", [[], ["x.csv"]])
def test_each_option_of_synthseg_alone_is_refused(option, value, messages):
    line = ["--i", "a", "--o", "b", f"--{option}", *value]
    with pytest.raises(UsageError, match=f"has no --{option}; leave it out, or run FreeSurfer's"):
        check_options(parse_arguments(line))
    assert main(line) == 2
    assert f"--{option}" in messages.text


def test_all_refused_options_are_named_at_once():
    line = "--i a --o b --parc --qc out.csv --fast"
    with pytest.raises(UsageError, match="has no --parc, --qc; leave"):
        check_options(parse_arguments(line.split()))


@pytest.mark.parametrize(
    ("scan", "labels"),
    [
        ("head.nii.gz", "head_synthseg.nii.gz"),
        ("head.nii", "head_synthseg.nii.gz"),
        ("a.b.nii.gz", "a.b_synthseg.nii.gz"),
    ],
)
def test_labels_are_named_as_synthseg_names_them(scan, labels):
    assert labels_name(Path("/somewhere", scan)) == labels


def test_tasks_of_one_scan(tmp_path):
    scan, table = tmp_path / "head.nii", tmp_path / "v.csv"
    scan.touch()
    to_file = list_tasks(scan, tmp_path / "l.nii.gz", table)
    assert to_file == [Task(scan, tmp_path / "l.nii.gz", table)]
    to_folder = list_tasks(scan, tmp_path / "out", None)
    assert to_folder == [Task(scan, tmp_path / "out" / "head_synthseg.nii.gz", None)]


def test_tasks_of_a_folder(tmp_path):
    for name in ("b.nii.gz", "a.nii", "notes.txt", "c.json"):
        (tmp_path / name).touch()
    out, table = tmp_path / "out", tmp_path / "v.csv"
    assert list_tasks(tmp_path, out, table) == [
        Task(tmp_path / "a.nii", out / "a_synthseg.nii.gz", table),
        Task(tmp_path / "b.nii.gz", out / "b_synthseg.nii.gz", table),
    ]


def test_tasks_of_lists(tmp_path):
    write_lists(tmp_path, i=["/x/1.nii", "", " /x/2.nii "], o=["/y/1.nii", "/y/2.nii"],
                v=["/z/1.csv", "/z/2.csv"])  # fmt: skip
    lists = [tmp_path / f"{name}.txt" for name in "iov"]
    assert list_tasks(*lists) == [
        Task(Path(f"/x/{n}.nii"), Path(f"/y/{n}.nii"), Path(f"/z/{n}.csv")) for n in (1, 2)
    ]
    assert [task.table for task in list_tasks(*lists[:2], None)] == [None, None]


@pytest.mark.parametrize(
    ("source", "target", "table", "sentence"),
    [
        ("absent.nii.gz", "o", None, "absent.nii.gz: expected a scan, a folder or a .txt list"),
        ("empty", "o", None, r"empty: expected NIfTI files \(\*.nii, \*.nii.gz\), found none"),
        ("absent.txt", "o.txt", None, "absent.txt: expected a list of paths, one per line"),
        ("two.txt", "absent.txt", None, "absent.txt: expected a list of paths, one per line"),
        ("two.txt", "folder", None, "folder: with a list as input every output is a .txt list"),
        ("two.txt", "two.txt", "v.csv", "v.csv: with a list as input every output is a .txt list"),
        ("two.txt", "one.txt", None, r"of one length, found .*two.txt: 2, .*one.txt: 1"),
        ("two.txt", "other.txt", "one.txt", r"of one length, found .*: 2, .*: 2, .*one.txt: 1"),
    ],
)
def test_each_senseless_request_gets_its_sentence(
    tmp_path, messages, source, target, table, sentence
):
    (tmp_path / "empty").mkdir()
    write_lists(tmp_path, two=["a.nii", "b.nii"], other=["a.nii", "b.nii"], one=["a.nii"])
    paths = [name and tmp_path / name for name in (source, target, table)]
    with pytest.raises(UsageError, match=sentence):
        list_tasks(*paths)
    options = ["--vol", paths[2]] if table else []
    assert main([str(word) for word in ("--i", paths[0], "--o", paths[1], *options)]) == 2
    assert len(messages.records) == 1
    assert "\n" not in messages.records[0].getMessage()
