import pytest

from brainlapse.cohort.people.ages import column_units, parse_number, scan_age


def age(participant, sessions, session, settings, units=None):
    return scan_age(participant, sessions, session, settings, units or {})


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


@pytest.mark.parametrize("text", ["999", "-1", "0", "130"])
def test_implausible_ages_are_missing_with_a_note(text, settings):
    years, note = age({"age": text}, {None: {}}, None, settings)
    assert years is None
    assert text in note


@pytest.mark.parametrize("text", ["90+", "sixty", "034Y", "60-65"])
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
    units = column_units({"Age": {"Units": "months"}, "height": {"Units": "cm"}})
    assert units == {"age": "months"}
    assert age({"Age": "600"}, {None: {}}, None, settings, units) == (pytest.approx(50), "")
    years, note = age({"age": "60"}, {None: {}}, None, settings, {"age": "moons"})
    assert years is None
    assert "moons" in note


@pytest.mark.parametrize(
    ("text", "number"), [("34,5", 34.5), ("34.5", 34.5), ("1e3", None), ("1.234,5", None)]
)
def test_decimal_commas(text, number):
    assert parse_number(text) == number
