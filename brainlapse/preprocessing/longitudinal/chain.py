"""The visits of one person as a chain in time: who joins whom.

The first visit is processed alone and is a *root*. A later visit joins the earliest root before it
that shows the same person: it is aligned to that root and takes over its affine to the template,
its brain mask and its intensity scale. A visit that finds no such root is processed alone and is a
root itself. Nothing of a visit depends on a later one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from brainlapse.preprocessing.longitudinal.comparison import compare_visits
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID
from brainlapse.preprocessing.longitudinal.settings import LongitudinalSettings
from brainlapse.preprocessing.longitudinal.visit import Root, Visit
from brainlapse.preprocessing.registration.ants import Located, prepare_brain
from brainlapse.preprocessing.registration.levels import register_brain
from brainlapse.preprocessing.registration.settings import RegistrationSettings
from brainlapse.runtime import log


@dataclass(frozen=True)
class Placement:
    """Where a visit was put.

    Attributes
    ----------
    transform
        Template world to the visit's world mm, (4, 4).
    log_field
        By how much the visit is brighter than its root, natural logarithm on `FIELD_GRID`; 0 for
        a visit that is a root itself.
    root
        The visit that it joined; None for a root.
    same_person_as
        The earliest root that shows the same person, joined or not; None where none does.
    comparisons
        The numbers by scan of each root that it was compared with, in order of time.
    """

    transform: np.ndarray
    log_field: np.ndarray
    root: Root | None
    same_person_as: str | None
    comparisons: dict[str, dict[str, float]]


def place_visit(
    visit: Visit,
    roots: Iterable[Root],
    target: Located,
    registration: RegistrationSettings,
    settings: LongitudinalSettings,
) -> Placement:
    """Join a later visit to the first root of the same person, or let it stand alone.

    Parameters
    ----------
    visit
        The later visit.
    roots
        Earlier ones, in order of time; read only as far as needed.
    target
        T1 of the template's brain.

    Raises
    ------
    ScanRejected
        If it stands alone and does not fit the template either.
    """
    comparisons: dict[str, dict[str, float]] = {}
    same: str | None = None
    for root in roots:
        pair = compare_visits(root, visit, registration.voxel_mm, settings)
        comparisons[root.scan] = pair.numbers
        if same is None and pair.numbers["correlation"] >= settings.min_correlation:
            same = root.scan
        reason = refuse(pair.numbers, settings)
        if reason is None:
            log.info("%s joins %s", visit.scan, root.scan)
            return Placement(pair.transform, pair.log_field, root, same, comparisons)
        log.warning("%s does not join %s: %s", visit.scan, root.scan, reason)
    brain = prepare_brain(visit.volume, visit.mask, visit.affine, registration.voxel_mm)
    transform = register_brain(target, brain, registration)[-1]
    return Placement(transform, np.zeros(FIELD_GRID.shape, np.float32), None, same, comparisons)


def refuse(numbers: dict[str, float], settings: LongitudinalSettings) -> str | None:
    """Return why a visit can't join a root, or None if it can."""
    if numbers["correlation"] < settings.min_correlation:
        return (
            f"expected the same person, found a correlation of {numbers['correlation']:.3f} "
            f"(at least {settings.min_correlation:g})"
        )
    if numbers["mask_coverage"] < settings.min_coverage:
        return (
            f"expected an earlier brain mask that covers this brain, found "
            f"{numbers['mask_coverage']:.3f} of it covered (at least {settings.min_coverage:g})"
        )
    return None
