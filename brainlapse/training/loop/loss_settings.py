"""Settings of the autoencoders' loss (no torch import: read with the config)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from brainlapse.networks.settings import PERCEPTUAL_FILES, PERCEPTUAL_SOURCES
from brainlapse.settings import Place, Settings


class PerceptualSettings(Settings):
    """The perceptual term of the loss."""

    network: Literal["none", "segmenter", "lpips", "medicalnet"] = Field(
        "segmenter",
        description="Feature network: none (no perceptual term), segmenter (3D encoder of the "
        "embedded segmentation network), lpips (AlexNet on slices) or medicalnet (3D ResNet-10); "
        "the last two need a weights file",
    )
    weight: float = Field(
        1.0, description="Weight of the term where a network is named; MRExtrap: 1", ge=0
    )
    folder: Place = Field(
        "weights", description="Folder with the safetensors file of lpips or medicalnet"
    )

    @model_validator(mode="after")
    def _check_weights(self) -> "PerceptualSettings":
        if self.network not in PERCEPTUAL_FILES:
            return self
        path = Path(self.folder) / PERCEPTUAL_FILES[self.network]
        if not path.is_file():
            message = (
                f"network: {self.network} needs the file {path}, which does not exist; convert "
                f"{PERCEPTUAL_SOURCES[self.network]} to safetensors (docs/autoencoders.md) and "
                "place it there, or set network: segmenter"
            )
            raise ValueError(message)
        return self


class LossSettings(Settings):
    """Equation 1 of MRExtrap: L1 + perceptual + adversarial + KL."""

    l1_weight: float = Field(
        1.0, description="Weight of the mean absolute difference; MRExtrap: 1", gt=0
    )
    perceptual: PerceptualSettings = Field(
        default_factory=PerceptualSettings, description="Perceptual term"
    )
    adversarial_weight: float = Field(
        1e-3,
        description="Weight of the patch-adversarial term; 0: no discriminator; MRExtrap: 0.001",
        ge=0,
    )
    adversarial_start_epoch: int = Field(
        100, description="First epoch with the adversarial term [epoch from 0]; MRExtrap: 100", ge=0
    )
    discriminator_channels: int = Field(
        32, description="Width of the discriminator's first layer", ge=4, le=256
    )
    discriminator_layers: int = Field(
        3, description="Halvings of the discriminator; more see larger patches", ge=1, le=5
    )
    discriminator_learning_rate: float = Field(
        5e-4, description="Learning rate of the discriminator", gt=0, le=0.1
    )
    kl_weight: float = Field(
        1e-6,
        description="Weight of the KL divergence from a standard normal, summed over the latent "
        "and averaged over scans; MRExtrap: 0.000001",
        ge=0,
    )
    sample_latent: bool = Field(
        False,
        description="Decode a draw of the latent while training (Rombach et al.); false: its mean, "
        "as Eq. 1 is written",
    )
