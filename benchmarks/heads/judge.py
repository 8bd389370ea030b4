"""How often is the judge of brain masks right? True masks and masks broken on purpose.

    python -m benchmarks.heads.judge ../shared/data [--sets ixi clinic] [--scans 6] [--out T.tsv]

Masks that stand for good ones differ from the truth by at most 2 mm; what lacks a tenth of the
brain or differs by 4 mm counts for neither; all others are bad. Printed: the share of good masks
that convince, of bad ones that do not, and of pairs of a good and a bad mask of one head in which
the good one scores higher.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.heads.breaks import BETWEEN, GOOD, break_mask
from benchmarks.heads.head import Head
from benchmarks.heads.sets import SETS
from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask.judge import MaskJudge
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.quality.reference import registration_target
from brainlapse.runtime import limit_threads


def judge_head(name: str, head: Head) -> Iterator[dict]:
    """Judge all masks of a head: name, kind, Dice, score and its numbers."""
    judge = MaskJudge(head.volume, head.affine, registration_target(2.0))
    for kind, mask in break_mask(head).items():
        found = judge.judge(mask)
        yield {"head": name, "kind": kind, "dice": dice(mask, head.brain), "score": found.score,
               **found.numbers}  # fmt: skip


def summarise(table: pd.DataFrame, convincing: float) -> str:
    """Say how often the judge was right."""
    is_good = table["kind"].isin(GOOD)
    is_bad = ~is_good & ~table["kind"].isin(BETWEEN)
    good, bad = table[is_good], table[is_bad]
    pairs = [
        first > second
        for _, masks in table.groupby("head")
        for first, second in product(masks.loc[is_good, "score"], masks.loc[is_bad, "score"])
    ]
    passed, stopped = (good["score"] >= convincing).mean(), (bad["score"] < convincing).mean()
    return (
        f"{len(good)} good masks, {passed:.1%} convince; {len(bad)} bad ones, {stopped:.1%} do "
        f"not; the better of two scores higher in {np.mean(pairs):.1%} of {len(pairs)} pairs"
    )


def main() -> None:
    """Print a line per kind of mask, and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--scans", type=int, default=0, help="so many, spread over all; 0: all")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    limit_threads(1)
    for name in options.sets:
        rows = [
            row
            for subject, head in SETS[name](options.data, options.scans, 0)
            for row in judge_head(subject, head)
        ]
        table = pd.DataFrame(rows)
        if options.out:
            table.assign(set=name).to_csv(
                options.out.with_stem(f"{options.out.stem}_{name}"), sep="\t"
            )
        means = table.drop(columns="head").groupby("kind").mean().sort_values("dice")
        print(means.round(3).to_string())
        print(f"{name}: {summarise(table, MaskSettings().convincing)}", flush=True)


if __name__ == "__main__":
    main()
