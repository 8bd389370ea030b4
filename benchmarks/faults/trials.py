"""What a trial ended with, and how trials are counted."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

SURVIVED, UNCLEAR, WRONG, STUCK = "survived", "unclear", "silent wrong", "stuck"
TRACE = re.compile(r"^Traceback \(most recent call last\)", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """One fault and its end.

    Attributes
    ----------
    part
        Part of the campaign.
    fault
        What was planted.
    verdict
        `SURVIVED`: the results are right, or a sentence said what is wrong and the same command
        finished the work afterwards. `UNCLEAR`: it failed without such a sentence. `WRONG`: it
        ended well with other results. `STUCK`: it hung, or the same command never finishes.
    detail
        What was seen, where it is not `SURVIVED`.
    """

    part: str
    fault: str
    verdict: str
    detail: str = ""


def show(trial: Trial) -> None:
    """Print one trial."""
    detail = f" | {trial.detail}" if trial.detail else ""
    print(f"{trial.part} | {trial.fault} | {trial.verdict}{detail}", flush=True)


def summarise(trials: Iterable[Trial]) -> str:
    """Tabulate tried, survived, unclear, silent wrong and stuck per part and in all."""
    counts = Counter((part, trial.verdict) for trial in trials for part in (trial.part, "all"))
    parts = sorted({part for part, _ in counts} - {"all"})
    verdicts = (SURVIVED, UNCLEAR, WRONG, STUCK)
    lines = ["part | tried | " + " | ".join(verdicts)]
    for part in [*parts, "all"]:
        numbers = [counts[part, verdict] for verdict in verdicts]
        lines.append(" | ".join(map(str, (part, sum(numbers), *numbers))))
    return "\n".join(lines)
