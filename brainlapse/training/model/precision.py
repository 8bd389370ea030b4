"""Arithmetic of the networks: float32, or mixed with a half precision."""

import torch
from torch import Tensor, nn

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_precision(wanted: str, device: torch.device) -> str:
    """Turn `training.precision` into float32, bfloat16 or float16 for a device.

    Parameters
    ----------
    wanted
        One of these, or auto: bfloat16 where the device computes in it, else float32. Emulated
        bfloat16 is slower than float32.
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if _computes_in_bfloat16(device) else "float32"


def _computes_in_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = torch.cpu.get_capabilities()
    return bool(found.get("amx_bf16") or found.get("avx512_bf16"))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Context in which convolutions and products run in this precision."""
    dtype = DTYPES.get(precision)
    return torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None)


class MixedFeatures(nn.Module):
    """A feature network that computes in the run's precision and gives float32 maps."""

    def __init__(self, features: nn.Module, precision: str) -> None:
        super().__init__()
        self.features, self.precision = features, precision
        if hasattr(features, "channel_weights"):
            self.channel_weights = features.channel_weights

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Feature maps of volumes (B, 1, D, H, W)."""
        with autocast(volume.device, self.precision):
            maps = self.features(volume)
        return [layer.float() for layer in maps]
