"""Settings of the autoencoder networks (no torch import: read when the config is checked)."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from brainlapse.settings import Settings

S2D_STEM_FACTOR = 4
"""Space-to-depth block of the `s2d` family: 4 x 4 x 4 voxels become 64 channels."""

DEFAULT_CHANNELS = {"s2d": (48, 96), "kl": (32, 64, 128, 128)}
"""Widths used where the config names none; three halvings (factor 8) in both families."""


PERCEPTUAL_FILES = {
    "lpips": "lpips_alex.safetensors",
    "medicalnet": "medicalnet_resnet10.safetensors",
}
"""Weights file of every feature network that does not travel with the package."""

PERCEPTUAL_SOURCES = {
    "lpips": "AlexNet of torchvision and the alex.pth of github.com/richzhang/PerceptualSimilarity",
    "medicalnet": "resnet_10_23dataset.pth of github.com/Tencent/MedicalNet",
}


class NetworkSettings(Settings):
    """One autoencoder network, chosen by the name of its family."""

    family: Literal["s2d", "kl"] = Field(
        "s2d",
        description="Network family: s2d (space-to-depth stem, fast without a GPU) or kl (MONAI "
        "AutoencoderKL, the model of MRExtrap)",
    )
    latent_channels: int = Field(
        4, description="Channels of the latent [count], 1 to 64; MRExtrap uses 4", ge=1, le=64
    )
    channels: tuple[int, ...] = Field(
        (),
        description="Width of every level, finest first [count]; left out: the family's default "
        "(s2d: 48, 96 at 1/4 and 1/8 resolution; kl: 32, 64, 128, 128 at 1/1 to 1/8)",
    )
    residual_blocks: int = Field(
        2,
        description="Residual blocks per level in encoder and decoder each [count], 1 to 8",
        ge=1,
        le=8,
    )
    norm_groups: int = Field(
        8, description="Groups of the group normalisation [count]; divides every width", ge=1, le=64
    )
    correction_channels: int = Field(
        16,
        description="s2d only: width of the correction across block edges after the depth-to-space "
        "head [count], 0 (none) to 64",
        ge=0,
        le=64,
    )
    attention: bool = Field(
        False,
        description="kl only: self-attention at the coarsest level (memory grows with its square)",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_channels(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("channels"):
            return {**data, "channels": DEFAULT_CHANNELS.get(data.get("family", "s2d"), ())}
        return data

    @field_validator("channels")
    @classmethod
    def _check_channels(cls, channels: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(channels) <= 6 or not all(1 <= width <= 1024 for width in channels):
            msg = f"channels: expected 1 to 6 widths between 1 and 1024, found {channels}"
            raise ValueError(msg)
        return channels

    @model_validator(mode="after")
    def _check_groups(self) -> "NetworkSettings":
        odd = [width for width in self.channels if width % self.norm_groups]
        if odd:
            message = (
                f"norm_groups: {self.norm_groups} must divide every width in channels, not {odd}"
            )
            raise ValueError(message)
        return self

    @property
    def downsampling(self) -> int:
        """Voxels per latent element along each axis; the grid must be divisible by it."""
        halvings = 2 ** (len(self.channels) - 1)
        return S2D_STEM_FACTOR * halvings if self.family == "s2d" else halvings

    def latent_shape(self, grid_shape: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """Shape (C, d, h, w) of the latent of a volume of `grid_shape` (D, H, W)."""
        depth, height, width = (size // self.downsampling for size in grid_shape)
        return (self.latent_channels, depth, height, width)
