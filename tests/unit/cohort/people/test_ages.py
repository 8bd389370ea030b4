from datetime import datetime

import pytest

from brainlapse.cohort.people.ages import scan_age
from brainlapse.cohort.people.times import Times, column_units, read_times


def age(participant, sessions, session, settings, units=None, **more):
    times = {name: read_times(row, units or {}) for name, row in sessions.items()}
    return scan_age(read_times(participant, units or {}), times, session, settings, **more)


def ages(participant, sessions, settings):
    """Ages of all sessions, rounded, and the notes."""
    found = [age(participant, sessions, session, settings) for session in sessions]
    return [years and round(years, 1) for years, _ in found], [note for _, note in found]


@pytest.mark.parametrize("column", ["age", "Age", "age_years", "age_at_scan"])
def test_age_per_session_goes_first(column, settings):
    sessions = {"ses-1": {column: "60"}, "ses-2": {column: "62.5"}}
    assert age({"age": "10"}, sessions, "ses-2", settings) == (62.5, "")


def test_baseline_and_days(settings):
    sessions = {"ses-1": {"days_since_baseline": "0"}, "ses-2": {"days_since_baseline": "730.5"}}
    assert age({"age": "60"}, sessions, "ses-2", settings) == (62.0, "")


def test_baseline_and_months_with_an_own_column(settings):
    sessions = {"ses-1": {}, "ses-2": {"months_since_baseline": "6"}}
    assert age({"baseline_age": "60"}, sessions, "ses-2", settings) == (60.5, "")


def test_baseline_and_dates(settings):
    sessions = {
        "ses-2": {"acq_time": "2022-01-01T12:00:00"},
        "ses-1": {"acq_time": "2020-01-01T12:00:00Z"},
    }
    years, note = age({"age": "60"}, sessions, "ses-2", settings)
    assert years == pytest.approx(62, abs=0.01)
    assert note == ""
    assert age({"age": "60"}, sessions, "ses-1", settings) == (60.0, "")


def test_birth_and_dates(settings):
    sessions = {"ses-1": {"acq_time": "2020-01-01"}, "ses-2": {"acq_time": "2022-07-01T10:00:00"}}
    assert ages({"date_of_birth": "1950-01-01"}, sessions, settings)[0] == [70.0, 72.5]
    found, notes = ages({"YOB": "1950", "age": "3"}, sessions, settings)
    assert found == [69.5, 72.0]
    assert "good to half a year" in notes[0]


def test_an_age_that_contradicts_the_date_of_birth_is_said(settings):
    sessions = {"ses-1": {"acq_time": "2020-01-01", "age": "64"}}
    found, notes = ages({"dob": "1950-01-01"}, sessions, settings)
    assert found == [64.0]
    assert "contradicts the date of birth, which gives 70.0" in notes[0]


def test_a_session_without_date_makes_baseline_unknown(settings):
    sessions = {"ses-1": {}, "ses-2": {"acq_time": "2022-01-01"}}
    years, note = age({"age": "60"}, sessions, "ses-2", settings)
    assert years is None
    assert "one age is given for 2 sessions" in note


def test_one_age_belongs_to_one_session_only(settings):
    assert age({"age": "60"}, {"ses-1": {}}, "ses-1", settings) == (60.0, "")
    years, note = age({"age": "60"}, {"ses-1": {}, "ses-2": {}}, "ses-1", settings)
    assert years is None
    assert "days_since_baseline" in note


REPEATED = {
    "months": [{"AGE": "71.5", "months_since_baseline": str(m)} for m in (0, 12, 36)],
    "dates": [{"age": "71.5", "acq_time": f"{year}-03-01"} for year in (2006, 2007, 2009)],
    "years of ADNIMERGE": [{"AGE": "71.5", "Years_bl": y} for y in ("0", "1.0", "3.0")],
    "whole years": [{"age": "71", "days_since_baseline": d} for d in ("0", "365.25", "1095.75")],
}


@pytest.mark.parametrize("kind", REPEATED)
def test_an_age_on_every_visit_though_time_passed_is_that_at_baseline(kind, settings):
    sessions = dict(zip(("ses-1", "ses-2", "ses-3"), REPEATED[kind], strict=True))
    found, notes = ages({}, sessions, settings)
    first = 71.0 if kind == "whole years" else 71.5
    assert found == [first, first + 1, first + 3]
    assert all("stands on every visit, so it was taken as that at baseline" in n for n in notes)


def test_a_single_visit_follows_its_data_set(settings):
    sessions = {"ses-3": {"AGE": "71.5", "months_since_baseline": "36"}}
    assert age({}, sessions, "ses-3", settings) == (71.5, "")
    assert age({}, sessions, "ses-3", settings, repeats_baseline=True)[0] == 74.5


@pytest.mark.parametrize(
    ("given", "days"), [(("71", "71"), ("0", "200")), (("71.5", "71.5"), ("0", "20"))]
)
def test_visits_close_together_may_share_an_age(given, days, settings):
    rows = [{"age": a, "days_since_baseline": d} for a, d in zip(given, days, strict=True)]
    found, notes = ages({}, {"ses-1": rows[0], "ses-2": rows[1]}, settings)
    assert found == [float(given[0])] * 2
    assert notes == ["", ""]


def test_the_same_age_twice_without_dates_is_said(settings):
    found, notes = ages({}, {"ses-1": {"age": "71"}, "ses-2": {"age": "71"}}, settings)
    assert found == [71.0, 71.0]
    assert all("without dates to tell them apart" in note for note in notes)


def test_ages_that_contradict_the_dates_are_said(settings):
    rows = [{"age": a, "acq_time": f"{y}-01-01"} for a, y in (("70", 2010), ("71", 2016))]
    found, notes = ages({}, {"ses-1": rows[0], "ses-2": rows[1]}, settings)
    assert found == [70.0, 71.0]
    assert all("1.0 against 6.0 years" in note for note in notes)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("ses-d0000", "ses-d0731"), [60.0, 62.0]),
        (("ses-d0183", "ses-d2000"), [60.5, 65.5]),
        (("ses-M000", "ses-M012"), [60.0, 61.0]),
        (("ses-m00", "ses-m06"), [60.0, 60.5]),
    ],
)
def test_times_in_labels(labels, expected, settings):
    found, notes = ages({"age": "60"}, {label: {} for label in labels}, settings)
    assert found == expected
    assert all("session's label" in note for note in notes)


@pytest.mark.parametrize(
    "labels", [("ses-d1", "ses-d2"), ("ses-m01", "ses-m02"), ("ses-1", "ses-M000")]
)
def test_labels_that_may_mean_another_thing(labels, settings):
    assert ages({"age": "60"}, {label: {} for label in labels}, settings)[0] == [None, None]


@pytest.mark.parametrize("text", ["999", "-1", "0", "130"])
def test_implausible_ages_are_missing_with_a_note(text, settings):
    years, note = age({"age": text}, {None: {}}, None, settings)
    assert years is None
    assert text in note


@pytest.mark.parametrize("text", ["90+", "sixty", "60-65"])
def test_text_is_no_age(text, settings):
    years, note = age({"age": text}, {None: {}}, None, settings)
    assert years is None
    assert text in note


def test_missing_and_impossible_time_codes(settings):
    assert age({}, {None: {}}, None, settings) == (None, "age is missing")
    sessions = {"ses-1": {"days_since_baseline": "-9999"}}
    assert age({"age": "60"}, sessions, "ses-1", settings)[0] is None
    sessions = {"ses-1": {"acq_time": "31.12.2020"}, "ses-2": {"acq_time": "2021-01-01"}}
    years, note = age({"age": "60"}, sessions, "ses-2", settings)
    assert years is None
    assert "31.12.2020" in note


def test_units_of_the_sidecar(settings):
    units = column_units({"Age": {"units": "months"}, "height": {"Units": "cm"}})
    assert units == {"age": "months"}
    assert age({"Age": "600"}, {None: {}}, None, settings, units) == (pytest.approx(50), "")
    years, note = age({"age": "60"}, {None: {}}, None, settings, {"age": "moons"})
    assert years is None
    assert "moons" in note
    units = {"age": "years and months"}
    assert age({"age": "34;6"}, {None: {}}, None, settings, units) == (34.5, "")
    years, note = age({"age": "34.11"}, {None: {}}, None, settings, units)
    assert years == 34.11
    assert "was read as decimal years" in note


def test_the_more_specific_row_goes_first():
    general = Times(age=60.0, date=datetime(2020, 1, 1), whole=True, notes=("a",))
    joined = Times(age=61.5, notes=("b",)).over(general)
    assert joined == Times(61.5, date=datetime(2020, 1, 1), notes=("a", "b"))
    assert Times(elapsed=1.0).over(general).whole


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("Age (years)", "50"),
        ("Age [months]", "600"),
        ("AgeAtScan", "50"),
        ("age at scan", "50"),
        ("Age, yrs", "50"),
        ("interview_age", "600"),
    ],
)
def test_names_of_columns_as_people_write_them(column, text, settings):
    assert age({column: text}, {None: {}}, None, settings) == (pytest.approx(50), "")


def test_two_columns_with_two_ages_are_said(settings):
    years, note = age({"age": "34", "age_months": "600"}, {None: {}}, None, settings)
    assert years == 34
    assert note == "age gives 34 years and age_months 50; the first was taken"
    assert age({"age": "34", "age_months": "415"}, {None: {}}, None, settings) == (34.0, "")
