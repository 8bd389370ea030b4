"""Settings of autoencoder training and encoding (no torch import: read with the config)."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from brainlapse.networks.settings import PERCEPTUAL_FILES, PERCEPTUAL_SOURCES, NetworkSettings
from brainlapse.settings import Settings


class PerceptualSettings(Settings):
    """The perceptual term of the loss."""

    network: Literal["none", "segmenter", "lpips", "medicalnet"] = Field(
        "segmenter",
        description="Feature network: none (no perceptual term), segmenter (3D encoder of the "
        "embedded segmentation network), lpips (AlexNet on slices) or medicalnet (3D ResNet-10); "
        "the last two need a weights file",
    )
    weight: float = Field(
        1.0,
        description="Weight of the term where a network is named [1], 0 or more; MRExtrap: 1",
        ge=0,
    )
    folder: str = Field(
        "weights",
        description="Folder with the safetensors file of lpips or medicalnet [path]",
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
        1.0, description="Weight of the mean absolute difference [1], above 0; MRExtrap: 1", gt=0
    )
    perceptual: PerceptualSettings = Field(
        default_factory=PerceptualSettings, description="Perceptual term"
    )
    adversarial_weight: float = Field(
        1e-3,
        description="Weight of the patch-adversarial term [1], 0 (no discriminator) or more; "
        "MRExtrap: 0.001",
        ge=0,
    )
    adversarial_start_epoch: int = Field(
        100, description="First epoch with the adversarial term [epoch from 0]; MRExtrap: 100", ge=0
    )
    discriminator_channels: int = Field(
        32, description="Width of the discriminator's first layer [count], 4 to 256", ge=4, le=256
    )
    discriminator_layers: int = Field(
        3,
        description="Halvings of the discriminator; more see larger patches [count], 1 to 5",
        ge=1,
        le=5,
    )
    discriminator_learning_rate: float = Field(
        5e-4, description="Learning rate of the discriminator [1], above 0 up to 0.1", gt=0, le=0.1
    )
    kl_weight: float = Field(
        1e-6,
        description="Weight of the KL divergence from a standard normal, summed over the latent "
        "and averaged over scans [1], 0 or more; MRExtrap: 0.000001",
        ge=0,
    )
    sample_latent: bool = Field(
        False,
        description="Decode a draw of the latent while training (Rombach et al.); false: its mean, "
        "as Eq. 1 is written",
    )


class TrainingSettings(Settings):
    """Budget, optimiser and bookkeeping of a training run; the first limit reached ends it."""

    epochs: int = Field(
        230,
        description="Most passes over the training scans [count], 1 or more; MRExtrap: 230",
        ge=1,
    )
    steps: int | None = Field(
        None, description="Most updates of the autoencoder [count], 1 or more; none: no limit", ge=1
    )
    max_minutes: float | None = Field(
        None,
        description="Most wall-clock time [min], above 0; none: no limit. Ends at another step on "
        "another machine, so the numbers don't repeat",
        gt=0,
    )
    batch_size: int = Field(
        2, description="Scans per update, of all devices together [count], 1 or more", ge=1
    )
    micro_batch: int | None = Field(
        None,
        description="Scans per pass; the gradients of several passes add up to one update, so that "
        "a large batch needs the memory of a small one [count], 1 or more; none: as many as a "
        "device has of the batch, and half as many each time a GPU runs out of memory",
        ge=1,
    )
    devices: int | Literal["auto"] = Field(
        1,
        description="GPUs of one node that share each batch [count], 1 or more; auto: all that the "
        "job sees. Without a GPU: processes that share the threads; auto: 1",
    )
    learning_rate: float = Field(
        1e-3, description="Peak learning rate of AdamW [1], above 0 up to 0.1", gt=0, le=0.1
    )
    warmup_fraction: float = Field(
        0.03,
        description="Part of the run over which the rate rises linearly [1], 0 to 0.5",
        ge=0,
        le=0.5,
    )
    final_rate_fraction: float = Field(
        0.02,
        description="Rate at the end as part of the peak; a half cosine between [1], 0 to 1",
        ge=0,
        le=1,
    )
    weight_decay: float = Field(1e-4, description="Weight decay of AdamW [1], 0 to 1", ge=0, le=1)
    clip_norm: float = Field(
        1.0,
        description="Largest norm of the gradient; larger ones are scaled down [1], above 0",
        gt=0,
    )
    validate_every: int = Field(
        1, description="Epochs between looks at the validation scans [count], 1 or more", ge=1
    )
    ema_decay: float = Field(
        0.0,
        description="Decay per update of a running average of the weights, which is then what is "
        "validated and kept [1], 0 (no average) to 0.99999",
        ge=0,
        le=0.99999,
    )
    selection: Literal["l1", "total", "volumes"] = Field(
        "l1",
        description="What picks the kept weights on the validation scans: a term of the loss (l1, "
        "total), or volumes: mean error of regional volumes of the reconstructions, measured by "
        "the embedded segmenter",
    )
    selection_scans: int = Field(
        4,
        description="selection: volumes only: validation scans that are segmented at each look "
        "[count], 1 or more",
        ge=1,
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Arithmetic of the networks; losses are always float32. auto: bfloat16 (mixed) "
        "where the GPU or CPU computes in it, else float32; float16 (mixed, with loss scaling) is "
        "for GPUs without bfloat16",
    )
    compile: bool = Field(
        False,
        description="Compile the autoencoder with torch.compile, which takes a while at the start; "
        "needs a C++ compiler on a CPU",
    )
    checkpoint_gradients: bool = Field(
        False,
        description="Compute the inside of every block again for the gradients instead of keeping "
        "it: less memory, longer steps",
    )
    tensorboard: bool = Field(
        False,
        description="Write the history for TensorBoard as well, under logs/train_autoencoder/",
    )
    checkpoint_minutes: float = Field(
        5.0, description="Time between resume checkpoints [min], 0 or more", ge=0
    )

    @field_validator("devices")
    @classmethod
    def _check_devices(cls, devices: int | str) -> int | str:
        if devices != "auto" and int(devices) < 1:
            message = f"devices: expected auto or a number from 1, found {devices}"
            raise ValueError(message)
        return devices

    @field_validator("tensorboard")
    @classmethod
    def _check_tensorboard(cls, tensorboard: bool) -> bool:
        if tensorboard and find_spec("tensorboard") is None:
            message = "tensorboard: true needs TensorBoard; `pip install tensorboard`, or set false"
            raise ValueError(message)
        return tensorboard

    @model_validator(mode="after")
    def _check_shares(self) -> "TrainingSettings":
        if self.devices != "auto" and self.devices > self.batch_size:
            message = (
                f"batch_size: {self.batch_size} scans cannot be shared by {self.devices} devices; "
                "raise batch_size or lower devices"
            )
            raise ValueError(message)
        return self


class AugmentationSettings(Settings):
    """Random changes of every training scan, drawn anew at each use."""

    warp_probability: float = Field(
        0.8, description="Part of the scans that get a random smooth warp [1], 0 to 1", ge=0, le=1
    )
    warp_mm: float = Field(
        3.0, description="Standard deviation of the warp's displacement [mm], 0 to 20", ge=0, le=20
    )
    warp_spacing_mm: float = Field(
        24.0, description="Distance between independent displacements [mm], 5 to 100", ge=5, le=100
    )
    flip_probability: float = Field(
        0.5, description="Part of the scans mirrored left to right [1], 0 to 1", ge=0, le=1
    )
    gamma: float = Field(
        0.1,
        description="Standard deviation of the log of the contrast exponent [1], 0 to 1",
        ge=0,
        le=1,
    )
    gain: float = Field(
        0.05,
        description="Standard deviation of the log of the brightness factor [1], 0 to 1",
        ge=0,
        le=1,
    )


class AutoencoderSettings(Settings):
    """One model of the mapping `autoencoders`: its network, loss, training and augmentation."""

    network: NetworkSettings = Field(default_factory=NetworkSettings, description="Network")
    loss: LossSettings = Field(default_factory=LossSettings, description="Loss (Eq. 1 of MRExtrap)")
    training: TrainingSettings = Field(
        default_factory=TrainingSettings, description="Budget and optimiser"
    )
    augmentation: AugmentationSettings = Field(
        default_factory=AugmentationSettings, description="Random changes of training scans"
    )


class EncodingSettings(Settings):
    """Encoding of all scans and decoding of latents."""

    batch_size: int = Field(4, description="Scans or latents per pass [count], 1 or more", ge=1)
