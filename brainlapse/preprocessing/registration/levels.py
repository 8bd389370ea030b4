"""The levels of the registration: each finds its start, is judged, and tried again if it failed.

The second try takes more starts and reads more voxels. A scan that still does not fit is
rejected with its numbers.
"""

from dataclasses import dataclass

import numpy as np

from brainlapse.preprocessing.registration.ants import Located, register_ants
from brainlapse.preprocessing.registration.fit import Fit, FitJudge
from brainlapse.preprocessing.registration.least_squares import register_squares
from brainlapse.preprocessing.registration.pose import (
    Coarse,
    centre_of_mass,
    find_brain_poses,
    find_turned_pose,
    rotation_angle_deg,
)
from brainlapse.preprocessing.registration.settings import (
    LevelSettings,
    LimitSettings,
    RegistrationSettings,
    RetrySettings,
)
from brainlapse.preprocessing.registration.transforms import check_transform, without_scale
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import log

CLEARLY_BETTER = 0.04  # true poses lay 0.1 and more above turned ones


def register_brain(
    target: Located, brain: Located, settings: RegistrationSettings
) -> list[np.ndarray]:
    """Run all levels; their transforms, template world to scan world mm, (4, 4) each.

    Raises
    ------
    ScanRejected
        See `register_level` and `check_result`.
    """
    transforms: list[np.ndarray] = []
    for level in settings.levels:
        run = LevelRun(level, settings.retry, settings.seed)
        before = transforms[-1] if transforms else None
        transforms.append(register_level(target, brain, run, before))
    check_result(transforms[-1], target, brain, settings.levels[-1], settings.limits)
    return transforms


@dataclass(frozen=True)
class LevelRun:
    """What one level needs to know."""

    level: LevelSettings
    retry: RetrySettings
    seed: int


def register_level(
    target: Located, brain: Located, run: LevelRun, before: np.ndarray | None = None
) -> np.ndarray:
    """Run one level, and once more if the result does not fit.

    Parameters
    ----------
    target, brain
        T1 of the template's brain, and the scan's from `registration.prepare_brain`.
    before
        Transform of the level before; none for the first.

    Returns
    -------
    numpy.ndarray
        Template world to scan world mm (RAS), (4, 4), the levels before included.

    Raises
    ------
    ScanRejected
        If ANTs fails.
    """
    level = run.level
    judge = FitJudge(brain, target)
    start = find_start(target, brain, level, before)
    transform = run_level(target, brain, level, run.seed, start)
    fit = _fit(judge, transform, level)
    if level.expects_contrast and fit.correlation < level.min_correlation:
        log.info("%s level: %s; trying again", level.transform, _words(fit))
        again = _try_again(judge, target, brain, run, before)
        transform, fit = max((transform, fit), again, key=lambda pair: pair[1].correlation)
    log.info("%s level: %s", level.transform, _words(fit))
    return transform


def run_level(
    target: Located, brain: Located, level: LevelSettings, seed: int, start: np.ndarray
) -> np.ndarray:
    """Run one level from one start with the method of its metric; see there."""
    if level.metric == "squares":
        return register_squares(target, brain, level, start)
    return register_ants(target, brain, level, seed, start)


def find_start(
    target: Located, brain: Located, level: LevelSettings, before: np.ndarray | None
) -> np.ndarray:
    """Return where a level starts, template world to scan world mm, (4, 4)."""
    if level.initialisation == "search":
        return _as_start(find_brain_poses(brain, target)[0].transform, level, target)
    if level.initialisation == "previous":
        if before is None:
            message = "expected the transform of the level before, found none"
            raise ValueError(message)
        return before
    start = np.eye(4)
    if level.initialisation == "centres":
        start[:3, 3] = centre_of_mass(Coarse(*brain)) - centre_of_mass(Coarse(*target))
    return start


def check_result(
    transform: np.ndarray,
    target: Located,
    brain: Located,
    level: LevelSettings,
    limits: LimitSettings,
) -> None:
    """Refuse the last level's transform where it is implausible or does not fit.

    Raises
    ------
    ScanRejected
        With the numbers; and, where the brain would fit in quite another pose, that its header
        cannot be right.
    """
    check_transform(transform, limits)
    fit = _fit(FitJudge(brain, target), transform, level)
    log.info("Final: %s", _words(fit))
    correlated = fit.correlation >= limits.min_correlation or not level.expects_contrast
    if not correlated or fit.overlap < limits.min_overlap:
        message = (
            f"Expected a brain that lies on the template, found {_words(fit)} (at least "
            f"{limits.min_correlation:g} and {limits.min_overlap:g}), also at the second, more "
            f"thorough try; look at the scan and its brain mask.{_lies(target, brain, transform)}"
        )
        raise ScanRejected(message)
    if level.expects_contrast and (lie := _lies(target, brain, transform)):
        message = f"Expected a header that says how the head lies, found {_words(fit)}.{lie}"
        raise ScanRejected(message)


def _lies(target: Located, brain: Located, transform: np.ndarray) -> str:
    """Say so if the brain fits much better turned onto another axis; else nothing.

    It is not simply turned: a header with mixed-up axes may as well have lost left and right.
    """
    kept, turned = find_turned_pose(brain, target, transform)
    if turned.correlation < kept.correlation + CLEARLY_BETTER:
        return ""
    angle = rotation_angle_deg(turned.transform)
    return (
        f" The brain fits better (correlation {turned.correlation:.2f} instead of "
        f"{kept.correlation:.2f} at 8 mm) turned by {angle:.0f} degrees against its header: the "
        "header is wrong, and left and right with it; convert the scan again."
    )


def _try_again(
    judge: FitJudge,
    target: Located,
    brain: Located,
    run: LevelRun,
    before: np.ndarray | None,
) -> tuple[np.ndarray, Fit]:
    level = run.level
    thorough = level.model_copy(update={"sampling": run.retry.sampling})
    poses = find_brain_poses(brain, target, count=run.retry.starts)
    starts = [_as_start(pose.transform, level, target) for pose in poses]
    if before is not None:
        starts.append(before)
    found = [run_level(target, brain, thorough, run.seed, start) for start in starts]
    judged = [(transform, _fit(judge, transform, level)) for transform in found]
    return max(judged, key=lambda pair: pair[1].correlation)


def _as_start(transform: np.ndarray, level: LevelSettings, target: Located) -> np.ndarray:
    """Leave the scale of a pose out where the level has none; the brain's centre stays."""
    if level.transform != "rigid":
        return transform
    return without_scale(transform, centre_of_mass(Coarse(*target)))


def _fit(judge: FitJudge, transform: np.ndarray, level: LevelSettings) -> Fit:
    return judge.fit(transform, free_scale=level.transform == "rigid")


def _words(fit: Fit) -> str:
    return f"correlation {fit.correlation:.2f} and overlap {fit.overlap:.2f}"
