"""Tables that cannot be matched as a whole: said once, with the first cause, or an error."""

import logging

import pytest

from brainlapse.cohort.build import build_cohort
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.scans import checking

GOOD = "participant_id age sex\n" + "".join(f"sub-0{n} 3{n} F\n" for n in range(1, 5))
LOST = {
    "id column": (
        GOOD.replace("participant_id", "code"),
        {},
        "expected a column participant_id, separated by tabs, found code, age, sex",
    ),
    "labels": (
        "participant_id age\n" + "".join(f"{n} 3{n}\n" for n in range(1, 5)),
        {},
        "knows 0 of 4 subjects with scans; the folders say sub-01, sub-02, sub-03, the table says "
        "sub-1, sub-2, sub-3",
    ),
    "unit": (GOOD, {"participants.json": '{"age":{"Units":"moons"}}'}, "age is given in 'moons'"),
    "months": (
        GOOD.replace(" 3", " 43"),
        {},
        "0 of 4 scans have a value for age; the first, sub-01: age 431 is outside",
    ),
    "words": (GOOD.replace(" 3", " about3"), {}, "age 'about31' is not a number"),
    "no age": (GOOD.replace("age", "years_lived"), {}, "0 of 4 scans have a value for age"),
    "name of ages": (
        GOOD.replace("age", "age_when_seen"),
        {},
        "not understood as ages: age_when_seen",
    ),
    "codes of sex": (GOOD.replace(" F", " 1"), {}, "sex '1' is not M or F"),
    "names of rows": (
        "participant_id age sex\n" + "".join(f"{n} sub-0{n} 3{n} F\n" for n in range(1, 5)),
        {},
        "found none: line 2 of participants.tsv has 4 cells where the header has 3",
    ),
    "empty": ("", {}, "found an empty file"),
    "header only": ("participant_id age\n", {}, "expected rows, found none"),
}


def build(dataset, settings, **changes):
    settings = settings.model_copy(update=changes)
    return build_cohort({"d": str(dataset.folder)}, {"d": "apply"}, settings, seed=0)


def said(caplog):
    return [record.message for record in caplog.records if "LOOK AT" in record.message]


@pytest.fixture
def four(dataset):
    for number in range(1, 5):
        dataset.scan(f"sub-0{number}")
    return dataset


@pytest.mark.parametrize("kind", LOST)
def test_lost_tables_are_said_once_with_the_first_cause(four, settings, caplog, kind):
    text, more, cause = LOST[kind]
    for name, content in {"participants.tsv": text, **more}.items():
        four.table(name, content)
    build(four, settings)
    assert sum(cause in message for message in said(caplog)) == 1
    assert all(message.startswith("LOOK AT THE TABLES OF d: ") for message in said(caplog))


def test_spaces_in_place_of_tabs_are_said(four, settings, caplog):
    (four.folder / "participants.tsv").write_text(GOOD)
    build(four, settings)
    assert any("separated by tabs, found participant_id age sex" in m for m in said(caplog))


def test_sessions_of_other_names_are_said(dataset, settings, caplog):
    rows = ["participant_id session_id age"]
    for number in (1, 2):
        for session in (1, 2):
            dataset.scan(f"sub-0{number}_ses-0{session}")
            rows.append(f"sub-0{number} {session} 5{session}")
    dataset.table("participants.tsv", "participant_id sex\nsub-01 F\nsub-02 M\n")
    dataset.table("sessions.tsv", "\n".join(rows))
    build(dataset, settings)
    words = "know 0 of 4 sessions with scans; the folders of sub-01 say ses-01, the tables ses-1"
    assert any(words in message for message in said(caplog))


def test_good_tables_are_no_news(four, settings, caplog):
    caplog.set_level(logging.INFO)
    four.table("participants.tsv", GOOD)
    build(four, settings)
    assert said(caplog) == []


def test_a_missing_table_is_said(four, settings, caplog):
    (four.folder / "participants.xlsx").touch()
    build(four, settings)
    assert any("tsv is missing, found participants.xlsx" in message for message in said(caplog))


@pytest.mark.parametrize("column", ["age_years", "age", "Sex", "site"])
def test_required_columns_stop_the_run_before_a_scan_is_opened(four, settings, monkeypatch, column):
    monkeypatch.setattr(checking, "check_scan", lambda *_: pytest.fail("a scan was opened"))
    text = "participant_id age sex site\nsub-01 31 F a\nsub-02 999 1 n/a\n"
    four.table("participants.tsv", text)
    with pytest.raises(CohortError, match=r"d: cohort\.require: .* asks for it in 50 %") as error:
        build(four, settings, require={column: 0.5})
    assert "1 of 4 scans have a value" in str(error.value)


def test_what_is_required_and_there_stops_nothing(four, settings):
    four.table("participants.tsv", GOOD)
    assert len(build(four, settings, require={"age": 1.0, "sex": 1.0}).scans) == 4
    with pytest.raises(CohortError, match="0 of 4 scans have a value for mmse"):
        build(four, settings, require={"mmse": 0.01})
