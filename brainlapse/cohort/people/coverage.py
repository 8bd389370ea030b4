"""What a data set's tables say about its scans as a whole: lost ages, unknown subjects.

Small notes stand at every scan; that most of them say the same is said here, once, before any
scan is opened.
"""

from brainlapse.cohort.columns import SEX_COLUMNS, find_named, plain_name
from brainlapse.cohort.errors import CohortError
from brainlapse.cohort.folders.bids import Session
from brainlapse.cohort.people.demographics import PARTICIPANTS, Demographics
from brainlapse.cohort.people.rows import find_column

MOST = 0.5  # fewer scans than this share with a value: the table is at fault, not the people
SHOWN = 3

Described = dict[Session, dict]  # what `describe_scan` gives, per session with a scan


def whole_table_faults(dataset: str, found: Demographics, described: Described) -> list[str]:
    """Sentences on tables that cannot be used or matched, and on values that most scans lost."""
    sentences = [*found.problems, *_unmatched(found, described)]
    with_sex = any(find_column(row, SEX_COLUMNS) for row in found.participants.values())
    for column, what in (("age_years", "age"), *((("sex", "sex"),) if with_sex else ())):
        if known_share(described, column) < MOST:
            unread = _like_ages(described) if column == "age_years" else []
            hint = f"; not understood as ages: {', '.join(unread)}" if unread else ""
            sentences.append(_lost(described, column, what) + hint)
    return [f"{dataset}: {sentence}" for sentence in sentences]


def check_required(dataset: str, described: Described, required: dict[str, float]) -> None:
    """Refuse a data set in which too few scans have what `cohort.require` names.

    Raises
    ------
    CohortError
        Names the first column, the shares and the first cause.
    """
    columns = list(dict.fromkeys(column for row in described.values() for column in row))
    for name, share in required.items():
        column = find_named(name, columns) or name
        known = known_share(described, column)
        if known < share:
            message = (
                f"{dataset}: cohort.require: {name}: {share:g} asks for it in "
                f"{share * 100:g} % of the scans; {_lost(described, column, name)}"
            )
            raise CohortError(message)


def known_share(described: Described, column: str) -> float:
    """Share of the scans that have a value; 1 without scans."""
    known = [row.get(column) is not None for row in described.values()]
    return sum(known) / len(known) if known else 1.0


def _lost(described: Described, column: str, what: str) -> str:
    without = [key for key, row in described.items() if row.get(column) is None]
    first = without[0] if without else ("", None)
    note = described[first]["note"] if without else None
    cause = f"; the first, {'_'.join(filter(None, first))}: {note}" if note else ""
    known = len(described) - len(without)
    return f"{known} of {len(described)} scans have a value for {what}{cause}"


def _like_ages(described: Described) -> list[str]:
    """Name the user's columns that may hold ages under names that are not known."""
    columns = dict.fromkeys(column for row in described.values() for column in row)
    return [c for c in columns if "age" in plain_name(c).split("_") and c != "age_years"]


def _unmatched(found: Demographics, described: Described) -> list[str]:
    """Say where the labels of folders and of tables are others."""
    subjects = sorted({subject for subject, _ in described})
    known = {subject for subject, rows in found.sessions.items() if any(rows.values())}
    known |= set(found.participants)
    missing = [subject for subject in subjects if subject not in known]
    sentences = _unmatched_sessions(found, described)
    if known and len(missing) > MOST * len(subjects):
        unused = sorted(known - set(subjects)) or sorted(known)
        sentences.append(
            f"{PARTICIPANTS} knows {len(subjects) - len(missing)} of {len(subjects)} subjects "
            f"with scans; the folders say {', '.join(missing[:SHOWN])}, the table says "
            f"{', '.join(unused[:SHOWN])}"
        )
    return sentences


def _unmatched_sessions(found: Demographics, described: Described) -> list[str]:
    """Say where tables give sessions to the subjects, but others than the folders have."""
    listed = {
        subject: sorted(
            name for name, row in found.sessions.get(subject, {}).items() if name and row
        )
        for subject, _ in described
    }
    asked = [key for key in described if key[1] and listed[key[0]]]
    missing = [(subject, session) for subject, session in asked if session not in listed[subject]]
    if len(missing) <= MOST * len(asked):
        return []
    subject, session = missing[0]
    tables = ", ".join(listed[subject][:SHOWN])
    return [
        f"the tables of sessions know {len(asked) - len(missing)} of {len(asked)} sessions with "
        f"scans; the folders of {subject} say {session}, the tables {tables}"
    ]
