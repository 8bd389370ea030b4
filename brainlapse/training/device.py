"""Where the arithmetic runs."""

import logging
import os

import torch

DEVICE_VARIABLE = "BRAINLAPSE_DEVICE"

log = logging.getLogger("brainlapse")


def choose_device() -> torch.device:
    """Pick the GPU if torch sees one, else the CPU; BRAINLAPSE_DEVICE (cpu, cuda:1) overrides."""
    name = os.environ.get(DEVICE_VARIABLE) or ("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        message = (
            f"{DEVICE_VARIABLE}: {name} was asked for, but torch sees no GPU; unset it or use cpu"
        )
        raise RuntimeError(message)
    label = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    log.info("device: %s (%s), %d threads", device, label, torch.get_num_threads())
    return device
