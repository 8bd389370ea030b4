"""What the doctor finds: a sentence, how bad it is, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "warning", "fault"]
MARKS = {"good": "ok     ", "warning": "warning", "fault": "FAULT  "}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do where it isn't good."""

    level: Level
    what: str
    remedy: str = ""


def as_text(findings: Iterable[Finding]) -> str:
    """Return a line per finding, and under it what to do."""
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.level]} {finding.what}")
        if finding.level != "good":
            lines.append(f"        -> {finding.remedy}")
    return "\n".join(lines)


def has_faults(findings: Iterable[Finding]) -> bool:
    """Whether something will stop the run."""
    return any(finding.level == "fault" for finding in findings)
