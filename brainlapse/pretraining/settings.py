"""Settings of pretraining (no torch import: read when the config is checked)."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from brainlapse.segmenter.settings import SynthesisSettings
from brainlapse.settings import Settings
from brainlapse.training.settings import AutoencoderSettings

VoxelSize = Annotated[float, Field(ge=1, le=4)]


class PretrainingSettings(Settings):
    """Training of an autoencoder on synthetic brains (config key ``pretraining``).

    The brains are drawn from the label maps of ``segmenter.label_maps``.
    """

    brains: int = Field(400, ge=1, description="Synthetic brains to train on")
    validation_brains: int = Field(
        24, ge=1, description="Synthetic brains of the label maps in segmenter.validation"
    )
    voxel_mm: tuple[VoxelSize, VoxelSize] = Field(
        (2.0, 3.0), description="Range of the voxel size, drawn for every brain [mm]"
    )
    shape: tuple[int, int, int] = Field(
        (64, 80, 64), description="Voxels of every brain, whatever their size"
    )
    synthesis: SynthesisSettings = Field(
        SynthesisSettings(random_contrast=0.0, decoded=0.0, bias=0.03, noise=0.03, resolution_mm=2),
        description="How heads are drawn from label maps; brains in MNI space, as the chain "
        "leaves them: T1-weighted, with little bias field and noise",
    )
    autoencoder: AutoencoderSettings = Field(
        default_factory=AutoencoderSettings, description="Network, loss and training"
    )

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        low, high = self.voxel_mm
        if low > high:
            message = f"voxel_mm: expected two ascending sizes, found {low} and {high}"
            raise ValueError(message)
        factor = self.autoencoder.network.downsampling
        if any(size % factor or size <= 0 for size in self.shape):
            message = f"shape: {list(self.shape)} must be divisible by the downsampling, {factor}"
            raise ValueError(message)
        if self.autoencoder.heads is not None:
            message = "autoencoder.heads: synthetic brains have no labels; leave them out"
            raise ValueError(message)
        return self
