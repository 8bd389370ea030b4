"""Which scans the quality section pictures, and in which order.

No matplotlib here: the workflow asks this module for the inputs of the picture job.
"""

from collections.abc import Iterable, Mapping
from typing import Any

RANK = {"rejected": 0, "flagged": 1, "accepted": 2}


def pictured(rows: Iterable[Mapping[str, Any]], max_pictures: int) -> list[Mapping[str, Any]]:
    """Return the rows of ``qc.tsv`` to picture: rejected, flagged, then accepted ones.

    Parameters
    ----------
    rows
        Rows with ``status``, ``dataset`` and ``scan``.
    max_pictures
        The list is cut there.
    """
    ranked = sorted(
        rows,
        key=lambda row: (
            RANK.get(str(row.get("status")), 1),
            str(row.get("dataset")),
            str(row.get("scan")),
        ),
    )
    return ranked[:max_pictures]
