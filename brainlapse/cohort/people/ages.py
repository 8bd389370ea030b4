"""Age at each scan, from the columns that data sets use for it (people/times.py lists them).

In order, the first that is given:

1. an age per session (sessions.tsv, sub-*_sessions.tsv, or participants.tsv with a session_id
   column);
2. the date of birth and the date of the session (sessions tables, else `acq_time` in
   `*_scans.tsv`);
3. the age at baseline (a column of its own, else the age in participants.tsv) plus the time since
   baseline, plus the time since the earliest of the subject's sessions if all have a date, or plus
   the time that all labels of the sessions give (ses-d0129, or ses-M012 after ses-M000);
4. the age in participants.tsv, for a subject with one session.

One age for several sessions without times is ambiguous: such scans keep no age, with a note. An
age that stands on every visit although time passed is the age at baseline, and 3. holds.
"""

import itertools
import re
from collections.abc import Mapping

from brainlapse.cohort.columns import AGE_COLUMNS
from brainlapse.cohort.people.times import Times, years_between
from brainlapse.cohort.settings import CohortSettings

ADVICE = (
    f"give a column {', '.join(list(AGE_COLUMNS)[:2])} or age per session in sessions.tsv or "
    "sub-*_sessions.tsv, or days_since_baseline or acq_time beside a baseline age"
)
SAME_AGE_YEARS = 0.1  # visits this far apart have different ages, if these are given to a decimal
SAME_WHOLE_AGE_YEARS = 1.0
CONTRADICTION_YEARS = 1.1  # between ages, rounded either way, and dates
# Years per unit, and whether a baseline of 0 must be among them: ses-m01 may be a first scan.
LABEL_TIMES = {r"ses-[dD](\d{4,})": (1 / 365.25, False), r"ses-[mM](\d{2,3})": (1 / 12, True)}

Age = tuple[float | None, str]  # age in years or None; note, empty if there is nothing to say
Sessions = Mapping[str | None, Times]


def scan_age(
    participant: Times,
    sessions: Sessions,
    session: str | None,
    settings: CohortSettings,
    repeats_baseline: bool = False,
) -> Age:
    """Age at one scan.

    Parameters
    ----------
    participant
        What the subject's row of participants.tsv says.
    sessions
        All sessions that the subject is known to have.
    session
        The session of the scan.
    repeats_baseline
        The data set gives the age at baseline on every visit's row.

    Returns
    -------
    age_years, note
        Age in years, or None with the reason.
    """
    age, note = _age(participant, sessions, session, repeats_baseline)
    if age is not None and not settings.min_age_years <= age <= settings.max_age_years:
        low, high = settings.min_age_years, settings.max_age_years
        return None, f"age {age:g} is outside {low:g} to {high:g} years and was taken as missing"
    return (None, note or "age is missing") if age is None else (age, note)


def _age(
    participant: Times, sessions: Sessions, session: str | None, repeats_baseline: bool
) -> Age:
    own = sessions.get(session, Times())
    said = "; ".join(dict.fromkeys((*participant.notes, *own.notes)))
    if own.age is not None and (repeated(sessions) or (repeats_baseline and own.elapsed)):
        age, note = _from_baseline(own.age, sessions, session)
        repeat = f"age {own.age:g} stands on every visit, so it was taken as that at baseline"
        return age, _join(said, repeat, note)
    birth = own.birth or participant.birth
    by_birth = None if birth is None or own.date is None else years_between(birth, own.date)
    if own.age is not None:
        return own.age, _join(said, _doubts(sessions), _doubt(own.age, by_birth))
    if by_birth is not None:
        return by_birth, said
    for baseline in (participant.baseline, participant.age, own.baseline):
        if baseline is not None:
            age, note = _from_baseline(baseline, sessions, session)
            return age, _join(said, note)
    return None, said


def _from_baseline(baseline: float, sessions: Sessions, session: str | None) -> Age:
    elapsed, note = _elapsed(sessions, session)
    if elapsed is not None and elapsed >= -1:
        return baseline + elapsed, note
    if elapsed is not None:
        return None, f"the scan is dated {-elapsed:.1f} years before baseline"
    if len(sessions) == 1:
        return baseline, note
    faults = dict.fromkeys(note for times in sessions.values() for note in times.notes)
    return None, _join(f"one age is given for {len(sessions)} sessions; {ADVICE}", *faults)


def _elapsed(sessions: Sessions, session: str | None) -> Age:
    """Years since baseline, None if unknown, and a note."""
    own = sessions.get(session, Times())
    if own.elapsed is not None:
        return own.elapsed, ""
    dates = [times.date for times in sessions.values()]
    known = [date for date in dates if date is not None]
    if own.date is not None and len(known) == len(dates):
        return years_between(min(known), own.date), ""
    by_label = _label_times(sessions)
    if by_label:
        return by_label[session], "the time since baseline is that of the session's label"
    return None, ""


def _label_times(sessions: Sessions) -> dict[str | None, float]:
    """Years since baseline that the labels of all sessions give; empty if one gives none."""
    for pattern, (years, needs_0) in LABEL_TIMES.items():
        found = {session: re.fullmatch(pattern, session or "") for session in sessions}
        times = {name: int(match[1]) * years for name, match in found.items() if match}
        if len(times) == len(sessions) and (0 in times.values() or not needs_0):
            return times
    return {}


def repeated(sessions: Sessions) -> bool:
    """Whether one age stands on several visits although time passed between them."""
    ages = [times.age for times in sessions.values() if times.age is not None]
    if len(ages) < 2 or max(ages) - min(ages) > 1e-6:
        return False
    whole = all(times.whole for times in sessions.values() if times.age is not None)
    return _span(sessions) > (SAME_WHOLE_AGE_YEARS if whole else SAME_AGE_YEARS)


def grows(sessions: Sessions) -> bool:
    """Whether ages differ between visits."""
    ages = [times.age for times in sessions.values() if times.age is not None]
    return len(ages) > 1 and max(ages) - min(ages) > 1e-6


def _times_with_age(sessions: Sessions) -> list[tuple[float, float]]:
    """Time since baseline and age [years] of the visits that have both."""
    pairs = [(_elapsed(sessions, name)[0], times.age) for name, times in sessions.items()]
    return [(time, age) for time, age in pairs if time is not None and age is not None]


def _span(sessions: Sessions) -> float:
    times = [time for time, _ in _times_with_age(sessions)]
    return max(times) - min(times) if len(times) > 1 else 0.0


def _doubts(sessions: Sessions) -> str:
    """Say where the ages of visits and the time between them do not agree."""
    pairs = sorted(_times_with_age(sessions))
    for (first, younger), (second, older) in itertools.pairwise(pairs):
        if abs((older - younger) - (second - first)) > CONTRADICTION_YEARS:
            return (
                f"ages and dates of the visits contradict each other: {older - younger:.1f} "
                f"against {second - first:.1f} years between two"
            )
    ages = [times.age for times in sessions.values() if times.age is not None]
    if len(ages) > 1 and len(pairs) < 2 and max(ages) == min(ages):
        return f"age {ages[0]:g} stands on {len(ages)} visits, without dates to tell them apart"
    return ""


def _doubt(age: float, by_birth: float | None) -> str:
    if by_birth is None or abs(age - by_birth) <= CONTRADICTION_YEARS:
        return ""
    return f"age {age:g} contradicts the date of birth, which gives {by_birth:.1f}"


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
