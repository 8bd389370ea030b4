"""Blocks of people: work on many scans in jobs of a bearable size.

One job for all scans runs for hours and begins anew when it is killed; one per person costs a start
of Python each. A person's block depends on nothing but the label and the number of blocks, so a
new person changes one block; jobs that read the latents of everyone are run again all the same.
When the people of a data set grow past a power of two, blocks are halved and made again.
"""

import hashlib
from collections.abc import Sequence

import pandas as pd

from brainlapse.cohort.tables import SCAN

MOST_PEOPLE = 20
"""In a block, on average: about 70 scans where people have three or four."""
FEWEST_BLOCKS = 4
"""Of a data set of enough people: small cohorts keep several cores busy."""


def block_count(people: int) -> int:
    """Blocks of a data set, a power of two.

    Parameters
    ----------
    people
        Number of people of the data set.
    """
    count = FEWEST_BLOCKS
    while people > count * MOST_PEOPLE:
        count *= 2
    return count


def block_of(subject: str, count: int) -> str:
    """Name of a person's block, ``block-3``.

    Parameters
    ----------
    subject
        ``sub-01``.
    count
        From `block_count`.
    """
    digest = hashlib.sha256(subject.encode()).digest()
    return f"block-{int.from_bytes(digest[:8], 'big') % count}"


def with_blocks(scans: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``block`` to a table of scans with dataset and subject."""
    people = scans.groupby("dataset")["subject"].nunique()
    counts = {dataset: block_count(number) for dataset, number in people.items()}
    pairs = zip(scans["dataset"], scans["subject"], strict=True)
    return scans.assign(block=[block_of(subject, counts[dataset]) for dataset, subject in pairs])


def gather_blocks(tables: Sequence[pd.DataFrame], index: pd.DataFrame) -> pd.DataFrame:
    """Put the tables of all blocks under each other, in the order of `index`.

    Parameters
    ----------
    tables
        With dataset and scan, at least one.
    index
        With dataset and scan of these scans, and perhaps of others.
    """
    gathered = pd.concat(tables, ignore_index=True)
    order = index[SCAN].assign(order=range(len(index)))
    placed = gathered.merge(order, on=SCAN, validate="one_to_one")
    return placed.sort_values("order", ignore_index=True).drop(columns="order")
