"""Whether SLURM takes what the profile would submit; nothing is submitted."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from brainlapse.operations.findings import Finding

TIMEOUT_S = 60
GPU_KEYS = ("gpu", "gres")


def check_slurm(profile: Path) -> list[Finding]:
    """Ask SLURM about every partition that a profile names, and about its way to ask for GPUs.

    Parameters
    ----------
    profile
        `config.yaml` of the profile.
    """
    if shutil.which("sbatch") is None:
        return [Finding("good", "no SLURM here (sbatch is not on PATH); the run stays local")]
    settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
    return [
        check_submission(partition, options, profile) for partition, options in wanted(settings)
    ]


def wanted(settings: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each partition of a profile with the options that its rules are submitted with."""
    shared = settings.get("default-resources", {})
    account = shared.get("slurm_account")
    options = (f"--account={account}",) if account else ()
    seen = set()
    if "slurm_partition" in shared:
        seen.add((shared["slurm_partition"], options))
    for rule in settings.get("set-resources", {}).values():
        if "slurm_partition" in rule:
            seen.add((rule["slurm_partition"], (*options, gpu_option(rule))))
    yield from sorted(seen)


def gpu_option(rule: dict[str, Any]) -> str:
    """Return how SLURM is asked for the GPU of a rule: by `--gres`, else by `--gpus`."""
    if rule.get("gres"):
        return f"--gres={rule['gres']}"
    model = rule.get("gpu_model")
    return f"--gpus={model}:1" if model else "--gpus=1"


def check_submission(partition: str, options: tuple[str, ...], profile: Path) -> Finding:
    """Let `sbatch --test-only` judge a submission."""
    asked = [f"--partition={partition}", *options]
    command = ["sbatch", "--test-only", "--wrap=true", "--time=5", *asked]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        what = f"SLURM did not answer within {TIMEOUT_S} s"
        return Finding("fault", what, "look at `sinfo`; is the controller up?")
    if done.returncode == 0:
        return Finding("good", f"SLURM takes {' '.join(asked)}")
    said = " ".join(done.stderr.split())
    remedy = f"`sinfo` lists the partitions; name yours, and how GPUs are asked for, in {profile}"
    return Finding("fault", f"SLURM refuses {' '.join(asked)}: {said}", remedy)
