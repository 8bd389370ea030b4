"""The undisturbed run: its results, and which rule wrote and which rules read each."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.faults.runs import Ended, Place, contents, copy, differences
from benchmarks.faults.trials import STUCK, SURVIVED, WRONG

NAME_OF_A_SCAN = re.compile(r"(sub|ses)-[^_/]+|scan-\d+")
DAMAGED = re.compile(r"(\S+): damaged \(")
OF_THE_OUTPUT = re.compile(r"^<output>/")


def kind_of(name: str) -> str:
    """Name of an output without its scan."""
    return NAME_OF_A_SCAN.sub("*", name)


@dataclass(frozen=True)
class Reference:
    """A finished run that trials copy and compare with."""

    place: Place

    @cached_property
    def contents(self) -> dict[str, str]:
        """Hash of every result."""
        return contents(self.place.results)

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Record of every output, by its path in the output folder."""
        folder = self.place.results / ".snakemake/metadata"
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = base64.urlsafe_b64decode(str(path.relative_to(folder)).replace("/", ""))
                found[key.decode()] = json.loads(path.read_text())
        return found

    def kinds(self) -> dict[str, list[str]]:
        """Group the outputs by rule and name without scan."""
        grouped = defaultdict(list)
        for name, record in self.records.items():
            if (self.place.results / name).exists():
                grouped[f"{record['rule']} {kind_of(name)}"].append(name)
        return dict(grouped)

    def readers(self) -> dict[str, list[tuple[str, str]]]:
        """Group what one rule wrote and another reads, with an output of the job that reads it."""
        grouped = defaultdict(set)
        for output, record in self.records.items():
            for path in record.get("input") or []:
                name = OF_THE_OUTPUT.sub("", path)
                if name in self.records:
                    grouped[record["rule"]].add((name, output))
        return {rule: sorted(pairs) for rule, pairs in grouped.items()}

    def copy_to(self, folder: Path) -> Place:
        """Make a place that holds a copy of the finished run."""
        copy(self.place.results, folder / "results")
        return replace(self.place, folder=folder)

    def judge(self, place: Place, deleted: Sequence[str] = ()) -> tuple[str, str]:
        """Run the same command again and say whether the work is finished and right.

        A deleted result that nothing wants any more may stay away, so that users can save space;
        asked for by its name it has to come back.
        """
        done = place.run()
        if done.code is None:
            return STUCK, "hung"
        if done.code and "damaged (" in done.said:
            done = self._after_advice(place, done)
        if away := [name for name in deleted if not (place.results / name).exists()]:
            done = replace(place, targets=tuple(f"results/{name}" for name in away)).run()
        if done.code:
            return STUCK, done.said[-600:].replace("\n", " / ")
        return self.compare(place)

    def compare(self, place: Place) -> tuple[str, str]:
        """Say whether a run that ended well has the results of the undisturbed one."""
        if wrong := differences(self.contents, place.results):
            return WRONG, f"{len(wrong)} results differ: {', '.join(wrong[:5])}"
        return SURVIVED, ""

    def _after_advice(self, place: Place, done: Ended) -> Ended:
        """Delete what the sentences name and run again."""
        for name in set(DAMAGED.findall(done.said)):
            path = place.folder / name
            if path.resolve().is_relative_to(place.results.resolve()):
                path.unlink(missing_ok=True)
        return place.run()
