"""Settings of the autoencoder networks (no torch import: read when the config is checked)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from brainlapse.settings import Settings

S2D_STEM_FACTOR = 4
"""Space-to-depth block of `s2d` and `vector`: 4 x 4 x 4 voxels become 64 channels."""

DEFAULT_CHANNELS = {"s2d": (48, 96), "kl": (32, 64, 128, 128), "vector": (48, 96)}
"""Widths used where the config names none; three halvings (factor 8) in every family."""

CONVOLUTIONAL = ("s2d", "kl", "vector")
FAMILIES_OF = {
    "latent_channels": ("s2d", "kl"),
    "latent_size": ("vector", "pca"),
    "flattened_channels": ("vector",),
    "channels": CONVOLUTIONAL,
    "residual_blocks": CONVOLUTIONAL,
    "norm_groups": CONVOLUTIONAL,
    "correction_channels": ("s2d", "vector"),
    "attention": CONVOLUTIONAL,
}
"""Families on which a setting acts; elsewhere any value but the default is refused."""

VECTOR_SIZES = (128, 1024)
"""Smallest and largest latent of the `vector` family."""

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

    family: Literal["s2d", "kl", "vector", "pca"] = Field(
        "s2d",
        description="Network family: s2d (space-to-depth stem, fast without a GPU), kl (MONAI "
        "AutoencoderKL, the model of MRExtrap), vector (convolutions, then one vector per scan, as "
        "in Malé et al.) or pca (mean image and principal components: the linear baseline)",
    )
    latent_channels: int = Field(
        4, description="s2d and kl only: channels of the latent; MRExtrap uses 4", ge=1, le=64
    )
    latent_size: int = Field(
        512,
        description="vector and pca only: elements of the latent; vector: 128 to 1024; pca: "
        "principal components, fewer than training scans",
        ge=1,
        le=65536,
    )
    flattened_channels: int = Field(
        8,
        description="vector only: channels of the coarsest maps that are flattened into the vector",
        ge=1,
        le=256,
    )
    channels: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        (),
        description="Not pca: width of every level, finest first; left out: the family's default "
        "(s2d, vector: 48, 96 at 1/4 and 1/8 resolution; kl: 32, 64, 128, 128 at 1/1 "
        "to 1/8)",
    )
    residual_blocks: int = Field(
        2, description="Not pca: residual blocks per level in encoder and decoder each", ge=1, le=8
    )
    norm_groups: int = Field(
        8,
        description="Not pca: groups of the group normalisation; divides every width",
        ge=1,
        le=64,
    )
    correction_channels: int = Field(
        16,
        description="s2d and vector only: width of the correction across block edges after the "
        "depth-to-space head; 0: none",
        ge=0,
        le=64,
    )
    attention: tuple[bool, ...] = Field(
        (),
        description="Not pca: self-attention for every level, finest first (time grows with the "
        "square of a level's elements); a lone true: at the coarsest level; left out: none",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_levels(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        channels = data.get("channels") or DEFAULT_CHANNELS.get(data.get("family", "s2d"), ())
        levels = len(channels) if isinstance(channels, list | tuple) else 0
        attention = data.get("attention") or (False,) * levels
        if attention is True:
            attention = (False,) * (levels - 1) + (True,)
        return {**data, "channels": channels, "attention": attention}

    @model_validator(mode="after")
    def _check_family(self) -> "NetworkSettings":
        defaults = {"channels": (), "attention": ()}  # of a family without levels
        for name, families in FAMILIES_OF.items():
            default = defaults.get(name, type(self).model_fields[name].default)
            if self.family not in families and getattr(self, name) != default:
                message = (
                    f"{name}: acts on {', '.join(families)}, not on {self.family}; leave it out"
                )
                raise ValueError(message)
        low, high = VECTOR_SIZES
        if self.family == "vector" and not low <= self.latent_size <= high:
            message = (
                f"latent_size: expected {low} to {high} for family vector, found {self.latent_size}"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_levels(self) -> "NetworkSettings":
        levels = len(self.channels)
        if self.family not in CONVOLUTIONAL:
            return self
        if not 1 <= levels <= 6:
            message = f"channels: expected 1 to 6 widths, found {self.channels}"
            raise ValueError(message)
        if len(self.attention) != levels:
            message = (
                f"attention: expected true or false for each of the {levels} levels of channels, "
                f"found {list(self.attention)}"
            )
            raise ValueError(message)
        return self

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
        """Voxels per element of the coarsest maps along each axis; the grid is divisible by it."""
        if self.family == "pca":
            return 1
        halvings = 2 ** (len(self.channels) - 1)
        return halvings if self.family == "kl" else S2D_STEM_FACTOR * halvings

    def coarsest_shape(self, grid_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Shape (d, h, w) of the coarsest maps of a volume of `grid_shape` (D, H, W)."""
        depth, height, width = (size // self.downsampling for size in grid_shape)
        return (depth, height, width)

    def latent_shape(self, grid_shape: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """Shape (C, d, h, w) of the latent of a volume of `grid_shape` (D, H, W).

        A latent vector is (elements, 1, 1, 1); `pca` has fewer where training scans are fewer.
        """
        if self.family in FAMILIES_OF["latent_size"]:
            return (self.latent_size, 1, 1, 1)
        return (self.latent_channels, *self.coarsest_shape(grid_shape))
