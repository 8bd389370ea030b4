"""Ages and units as people write them."""

import re

from brainlapse.cohort.people.rows import MISSING

YEAR = {"years": 1.0, "months": 1 / 12, "weeks": 7 / 365.25, "days": 1 / 365.25}
SPELLINGS = {
    "years": "y yr yrs year years yo a annum jahr jahre",
    "months": "m mo mos mon mth mths month months monate",
    "weeks": "w wk wks week weeks wochen",
    "days": "d day days tage",
}
WORDS = {word: unit for unit, words in SPELLINGS.items() for word in words.split()}
ABOUT_UNITS = """s old o of the age ages in at since from and birth scan session visit baseline time
decimal float floating double int integer number numeric numerical none null nan participant
completed rounded full chronological value"""
NO_UNITS = frozenset(ABOUT_UNITS.split())
COMPOUND = "years and months"
NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)"


class UnknownUnitError(ValueError):
    """Words that stand in the place of a unit and are none."""


def parse_unit(text: str) -> str | None:
    """Read a unit of age: a key of `YEAR`, or `COMPOUND`; None if the words name no unit.

    Raises
    ------
    UnknownUnitError
        There are words that are neither a unit nor about one.
    """
    words = [] if text.strip().lower() in MISSING else re.findall(r"[^\W\d_]+", text.lower())
    longest = max((len(word) > 1 for word in words if word in WORDS), default=False)
    known = [word for word in words if word in WORDS and (len(word) > 1) == longest]
    units = list(dict.fromkeys(WORDS[word] for word in known))  # letters count alone only
    if len(units) == 1:
        return units[0]
    if units == ["years", "months"]:
        return COMPOUND
    if units or any(word not in NO_UNITS for word in words):
        raise UnknownUnitError(text)
    return None


def parse_number(text: str) -> float | None:
    """Read a decimal number, with a point or a comma; None if it is anything else."""
    if not re.fullmatch(NUMBER, text.strip()):
        return None
    return float(text.strip().replace(",", "."))


def parse_age(text: str, unit: str) -> float | None:
    """Read an age in years: a number in `unit`, or with its own, such as 34y6m, 018M or 3 years.

    Years and months may also be written 34;6 where `unit` is `COMPOUND`; None for other text.
    """
    number = parse_number(text)
    if number is not None:
        return number * (1.0 if unit == COMPOUND else YEAR[unit])
    parts = re.findall(rf"({NUMBER})\s*([^\W\d_]+)(?:\(s\))?\.?", text)
    rest = re.sub(rf"{NUMBER}\s*[^\W\d_]+(?:\(s\))?\.?", "", text)
    named = [WORDS.get(word.lower()) for _, word in parts]
    if parts and all(named) and re.fullmatch(r"(\s|,|and|old|of age)*", rest):
        numbers = [float(part.replace(",", ".")) for part, _ in parts]
        years = [n * YEAR[str(word)] for n, word in zip(numbers, named, strict=True)]
        return sum(years) if len(set(named)) == len(named) else None
    pair = re.fullmatch(r"(\d+)\s*[;:/-]\s*(\d{1,2})", text.strip())
    if unit == COMPOUND and pair and int(pair[2]) < 12:
        return int(pair[1]) + int(pair[2]) / 12
    return None
