"""Blocks of people: work on many scans in jobs of a bearable size.

One job for all scans runs for hours and begins anew when it is killed; one per person costs a start
of Python each. A person's block depends on nothing but the label and the number of blocks, so a
new person changes one block. Training people have blocks of their own: what is fitted to them stays
when someone else joins. When the people of a data set grow past a power of two, blocks are halved
and made again.
"""

import hashlib
from collections.abc import Sequence

import pandas as pd

from brainlapse.cohort.tables import SCAN

MOST_PEOPLE = 20
"""In a block, on average: about 70 scans where people have three or four."""
FEWEST_PEOPLE = 5
"""In a block, on average: fewer don't pay for a start of Python, a network and a segmenter."""
BUSY = 4
"""Blocks that keep a workstation's cores busy; from here on a block grows to `MOST_PEOPLE`."""
TRAINING = "train"
"""Beginning of the names of blocks of training people, and their split."""
OTHERS = "block"
"""Beginning of the names of all other blocks."""


def block_count(people: int) -> int:
    """Blocks of a data set, a power of two.

    Parameters
    ----------
    people
        Number of people of the data set that train, or of the others.
    """
    count = 1
    while people > count * (FEWEST_PEOPLE if count < BUSY else MOST_PEOPLE):
        count *= 2
    return count


def block_of(subject: str, count: int, kind: str = OTHERS) -> str:
    """Name of a person's block, ``block-3``.

    Parameters
    ----------
    subject
        ``sub-01``.
    count
        From `block_count`.
    kind
        `TRAINING` or `OTHERS`.
    """
    digest = hashlib.sha256(subject.encode()).digest()
    return f"{kind}-{int.from_bytes(digest[:8], 'big') % count}"


def with_blocks(scans: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``block`` to a table of scans with dataset, subject and split."""
    kinds = scans["split"].eq(TRAINING).map({True: TRAINING, False: OTHERS})
    people = scans["subject"].groupby([scans["dataset"], kinds]).transform("nunique")
    rows = zip(scans["subject"], people, kinds, strict=True)
    return scans.assign(block=[block_of(name, block_count(n), kind) for name, n, kind in rows])


def trains(block: str) -> bool:
    """Whether a block holds training people."""
    return block.startswith(f"{TRAINING}-")


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
