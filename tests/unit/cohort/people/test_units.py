import pytest

from brainlapse.cohort.people.units import COMPOUND, UnknownUnitError, parse_age, parse_unit

UNITS = {
    "years": [
        "years", "Years", "year(s)", "years old", "a", "y", "yr", "yrs.", "y/o", "yo", "Jahre",
        "years (float)", "Age in years", "age at scan [years]", "years since birth",
        "decimal years", "year", "age of a participant in years",
    ],
    "months": ["months", "month(s)", "mo", "m", "Months (integer)"],
    "weeks": ["weeks", "wk"],
    "days": ["days", "d", "days since birth"],
    COMPOUND: ["years and months", "years; months", "years & months"],
    None: ["n/a", "", "none", "float", "number", "N/A", "-"],
}  # fmt: skip


@pytest.mark.parametrize(("unit", "text"), [(u, text) for u in UNITS for text in UNITS[u]])
def test_units_as_people_write_them(unit, text):
    assert parse_unit(text) == unit


@pytest.mark.parametrize("text", ["moons", "kg", "months and years", "days or weeks", "decades"])
def test_other_words_are_no_unit(text):
    with pytest.raises(UnknownUnitError):
        parse_unit(text)


@pytest.mark.parametrize(
    ("text", "unit", "years"),
    [
        ("34.5", "years", 34.5),
        ("34,5", "years", 34.5),
        ("600", "months", 50),
        ("34 years", "months", 34),
        ("34y", "years", 34),
        ("034Y", "years", 34),
        ("018M", "years", 1.5),
        ("34 yrs 6 mo", "years", 34.5),
        ("34y6m", "years", 34.5),
        ("34 years, 6 months old", "years", 34.5),
        ("34 years and 6 months", "years", 34.5),
        ("34 year(s)", "years", 34),
        ("34;6", COMPOUND, 34.5),
        ("34-06", COMPOUND, 34.5),
        ("34", COMPOUND, 34),
        ("34;6", "years", None),
        ("34;13", COMPOUND, None),
        ("90+", "years", None),
        (">89", "years", None),
        ("60-65", "years", None),
        ("sixty", "years", None),
        ("1e3", "years", None),
        ("1.234,5", "years", None),
        ("3 moons", "years", None),
        ("34 years 2 years", "years", None),
        ("about 34 years", "years", None),
    ],
)
def test_ages_as_people_write_them(text, unit, years):
    assert parse_age(text, unit) == (None if years is None else pytest.approx(years))
