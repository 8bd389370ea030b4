"""What becomes of heads that scanners, patients and archives altered: masks and verdicts.

    python -m benchmarks.heads.matrix ../shared/data [--sets ixi clinic] [--scans 3] [--first 0]
        [--alterations tilted cyst ...] [--out T.tsv]

Each alteration of `alterations.py` for each head. Printed, by alteration: accepted, flagged,
rejected, the least Dice of the mask with the mask of the same head as it was (carried along where
the head moved), median CPU s. Then the bar: alterations that leave the brain whole should be
accepted with a Dice of at least 0.95; those that cut it never unflagged. For whole sets, drawn
heads among them: `--alterations unchanged --scans 0`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.heads.alterations import CUT, WHOLE, Altered
from benchmarks.heads.chain import Outcome, run_chain
from benchmarks.heads.head import Head
from benchmarks.heads.sets import SETS
from brainlapse.images import resample_to_grid
from brainlapse.preprocessing.agreement import dice
from brainlapse.runtime import limit_threads
from brainlapse.space import Grid

LEAST_DICE = 0.95


def alter(name: str, head: Head, wanted: list[str]) -> Iterator[dict]:
    """Run a head as it is and altered; a row for each."""
    plain = run_chain(head.volume, head.affine)
    for alteration, function in {**WHOLE, **CUT}.items():
        if alteration not in wanted:
            continue
        altered = function(head)
        outcome = plain if alteration == "unchanged" else run_chain(altered.volume, altered.affine)
        row = {
            "head": name,
            "alteration": alteration,
            "status": outcome.status,
            "way": outcome.way,
            "dice": agreement(plain, head, outcome, altered),
            "truth": dice(plain.mask, head.brain) if plain.mask is not None else np.nan,
            "seconds": outcome.seconds,
            "reasons": "; ".join(outcome.reasons),
            **outcome.numbers,
        }
        print(*(row[key] for key in ("head", "alteration", "status", "way", "dice", "reasons")),
              sep=" | ", flush=True)  # fmt: skip
        yield row


def agreement(plain: Outcome, head: Head, outcome: Outcome, altered: Altered) -> float:
    """Dice of the mask with the mask of the unaltered head, on the altered grid."""
    if plain.mask is None or outcome.mask is None:
        return float("nan")
    x, y, z = altered.volume.shape
    grid = Grid((x, y, z), altered.affine)
    back = np.linalg.inv(altered.motion)
    before = resample_to_grid(plain.mask, head.affine, grid, back) > 0.5
    return dice(outcome.mask, before)


def summarise(table: pd.DataFrame) -> str:
    """Say what became of each alteration, and how far the bars are met."""
    lines = ["alteration | accepted | flagged | rejected | least Dice | median CPU s"]
    for name, rows in table.groupby("alteration", sort=False):
        counts = [int((rows["status"] == s).sum()) for s in ("accepted", "flagged", "rejected")]
        numbers = f"{rows['dice'].min():.3f} | {rows['seconds'].median():.1f}"
        lines.append(f"{name} | {' | '.join(map(str, counts))} | {numbers}")
    whole = table[table["alteration"].isin(WHOLE)]
    good = (whole["status"] == "accepted") & (whole["dice"] >= LEAST_DICE)
    lost = (whole["status"] == "rejected").sum()
    cut = table[table["alteration"].isin(CUT)]
    unseen = (cut["status"] == "accepted").sum()
    lines.append(
        f"whole: {good.sum()} of {len(whole)} accepted with Dice of at least {LEAST_DICE}, {lost} "
        f"rejected; cut: {unseen} of {len(cut)} accepted without a flag"
    )
    return "\n".join(lines)


def main() -> None:
    """Print every head and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=["ixi", "clinic"])
    parser.add_argument("--scans", type=int, default=3, help="of each set, spread; 0: all")
    parser.add_argument("--first", type=int, default=0, help="heads of each set to pass over")
    everything = [*WHOLE, *CUT]
    parser.add_argument("--alterations", nargs="+", choices=everything, default=everything)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    limit_threads(1)
    rows = []
    for name in options.sets:
        for head_name, head in SETS[name](options.data, options.scans, options.first):
            for row in alter(head_name, head, options.alterations):
                rows.append({"set": name, **row})
                if options.out:  # after each, for all of them take an hour
                    pd.DataFrame(rows).to_csv(options.out, sep="\t", index=False)
    print(summarise(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
