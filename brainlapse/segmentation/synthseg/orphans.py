"""Remove containers whose job is gone: docker and podman keep them running without it."""

import subprocess

from brainlapse.containers import OWNER_LABEL
from brainlapse.runtime import log, process_is_gone
from brainlapse.segmentation.settings import CONTAINERS, SegmentationSettings

ENGINE_TIMEOUT_S = 60


def remove_orphans(settings: SegmentationSettings) -> list[str]:
    """Remove this host's containers whose owning job has ended, however it ended.

    The guard of a job usually did so; it may have been killed together with the job.

    Parameters
    ----------
    settings
        Names the engine.

    Returns
    -------
    list of str
        Ids of the containers that were removed. Faults of the engine are left to the next
        command, which reports them.
    """
    engine = settings.backend
    if engine not in CONTAINERS:
        return []
    listed = _ask([engine, "ps", "--all", "--quiet", "--filter", f"label={OWNER_LABEL}"]).split()
    if not listed:
        return []
    form = f'{{{{.Id}}}} {{{{index .Config.Labels "{OWNER_LABEL}"}}}}'
    owners = dict(
        line.split(" ", 1)
        for line in _ask([engine, "container", "inspect", "--format", form, *listed]).splitlines()
        if " " in line
    )
    orphans = [name for name, owner in owners.items() if process_is_gone(owner)]
    for orphan in orphans:
        log.warning("Removing container %.12s, whose job (%s) is gone", orphan, owners[orphan])
        _ask([engine, "rm", "--force", orphan])
    return orphans


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ENGINE_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
