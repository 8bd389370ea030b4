"""Where the arithmetic runs."""

import logging
import os

import torch

DEVICE_VARIABLE = "BRAINLAPSE_DEVICE"

log = logging.getLogger("brainlapse")


def choose_device(rank: int = 0, kind: str | None = None) -> torch.device:
    """Pick the GPU if torch sees one, else the CPU; BRAINLAPSE_DEVICE (cpu, cuda:1) overrides.

    Parameters
    ----------
    rank
        Of this process among those of one job on this node: each takes its own GPU.
    kind
        cpu or cuda where another process has chosen already.
    """
    name = kind or os.environ.get(DEVICE_VARIABLE)
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        message = (
            f"{DEVICE_VARIABLE}: {name} was asked for, but torch sees no GPU; unset it or use cpu"
        )
        raise RuntimeError(message)
    if device.type == "cuda":
        device = torch.device("cuda", device.index if device.index is not None else rank)
        torch.cuda.set_device(device)
    label = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    log.info("device: %s (%s), %d threads", device, label, torch.get_num_threads())
    return device
