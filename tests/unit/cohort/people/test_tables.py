import os

import pytest

from brainlapse.cohort.people.tables import read_sidecar, read_table

EIGHT = [f"sub-0{n}" for n in range(1, 9)]


def write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "participants.tsv"
    path.write_bytes(text.encode(encoding))
    return read_table(str(path))


def ages(table):
    return {row["participant_id"]: row.get("age") for row in table.rows}


TRUE_AGES = {f"sub-0{n}": str(20 + n) for n in range(1, 9)}
QUOTES = [
    {3: '"fell asleep', 6: '12" monitor'},
    {3: '"fell asleep', 6: 'asleep too"'},
    {2: '"a', 7: 'b"', 5: '""'},
    {4: 'say "hello" now', 5: '"hello" she said', 6: '"'},
    {8: '"the end'},
    {1: "'single", 3: "it's"},
]


@pytest.mark.parametrize("quotes", QUOTES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotes_are_characters_of_their_cell(tmp_path, quotes, end):
    lines = ["participant_id\tcomment\tage"]
    lines += [f"sub-0{n}\t{quotes.get(n, 'ok')}\t{20 + n}" for n in range(1, 9)]
    table = write(tmp_path, end.join(lines) + end)
    assert ages(table) == TRUE_AGES
    for n, quote in quotes.items():
        assert table.rows[n - 1].get("comment") in (quote, None)  # "" is an empty cell


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_quotes_of_other_delimiters_never_reach_beyond_their_line(tmp_path, delimiter):
    lines = [delimiter.join(("participant_id", "comment", "age"))]
    comments = {2: '"a, b; c"', 3: '"fell asleep', 6: 'awake"'}
    lines += [
        delimiter.join((f"sub-0{n}", comments.get(n, "ok"), f"{20 + n}")) for n in range(1, 9)
    ]
    table = write(tmp_path, "\n".join(lines))
    found = ages(table)
    assert found["sub-02"] == "22"
    assert {k: v for k, v in TRUE_AGES.items() if k != "sub-03"} == {
        k: v for k, v in found.items() if k != "sub-03"
    }
    assert found.get("sub-03") is None
    assert table.faults[0][0] == "sub-03"


def test_quotes_around_every_cell_as_r_writes_them(tmp_path):
    table = write(tmp_path, '"participant_id"\t"age"\t"place"\n"sub-01"\t"21"\t"a ""b"""\n')
    assert table.rows == [{"participant_id": "sub-01", "age": "21", "place": 'a "b"'}]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("sub-02\tok\tF", 3),  # a cell lost in the middle
        ("sub-02\tok\tM\t22\tmore", 5),
        ("sub-02", 1),
    ],
)
def test_lines_with_another_number_of_cells_are_left_out_by_name(tmp_path, line, cells):
    text = f"participant_id\tcomment\tsex\tage\nsub-01\tok\tM\t21\n{line}\nsub-03\tok\tF\t23\n"
    table = write(tmp_path, text)
    assert ages(table) == {"sub-01": "21", "sub-03": "23"}
    ((cell, sentence),) = table.faults
    assert cell == "sub-02"
    assert f"line 3 of participants.tsv has {cells} cells where the header has 4" in sentence


def test_empty_cells_and_columns_at_the_end_are_no_fault(tmp_path):
    table = write(tmp_path, "participant_id\tage\t\t\nsub-01\t21\nsub-02\t22\t\t\t\t\n\n \n")
    assert ages(table) == {"sub-01": "21", "sub-02": "22"}
    assert table.faults == []


def test_columns_given_twice_must_agree(tmp_path):
    text = "participant_id\tage\tAge\nsub-01\t21\t21\nsub-02\t22\t32\nsub-03\tn/a\t23\n"
    table = write(tmp_path, text)
    assert ages(table) == {"sub-01": "21", "sub-02": None, "sub-03": "23"}
    assert "22 and 32" in table.faults[0][1]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"],
)
def test_encodings(tmp_path, encoding):
    comment = "Zürich" if encoding != "cp1252" else "Zürich \u2013 \u201cnow\u201d"
    table = write(tmp_path, f"participant_id\tplace\tage\nsub-01\t{comment}\t21\n", encoding)
    assert table.rows == [{"participant_id": "sub-01", "place": comment, "age": "21"}]


@pytest.mark.parametrize("mark", ["\x85", "\x0b", "\x0c", "\u2028", "\x1c"])
def test_odd_characters_end_no_line(tmp_path, mark):
    table = write(tmp_path, f"participant_id\tnote\tage\nsub-01\ta{mark}b\t21\nsub-02\tc\t22\n")
    assert ages(table) == {"sub-01": "21", "sub-02": "22"}


def test_what_is_no_table_is_said(tmp_path):
    assert "found no line" in write(tmp_path, "\n\n").problem
    assert "found an empty file" in write(tmp_path, "").problem
    (tmp_path / "sheet.tsv").write_bytes(b"PK\x03\x04" + bytes(99))
    assert "found an Excel sheet" in read_table(str(tmp_path / "sheet.tsv")).problem
    os.mkfifo(tmp_path / "pipe.tsv")
    assert "found a pipe" in read_table(str(tmp_path / "pipe.tsv")).problem
    (tmp_path / "link.tsv").symlink_to("/nowhere")
    assert "expected a table, found a link" in read_table(str(tmp_path / "link.tsv")).problem


def test_a_closed_table_is_said(tmp_path, as_anybody):
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\n")
    path.chmod(0o000)
    assert "Permission denied" in as_anybody(read_table, str(path)).problem


@pytest.mark.parametrize("text", ["", "not json", "[1]", '{"a": ' * 5000, "\x00\x01"])
def test_a_sidecar_that_is_none_is_empty(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_sidecar(str(tmp_path / "a.json")) == {}
