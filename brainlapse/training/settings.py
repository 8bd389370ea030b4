"""Settings of autoencoder training and encoding (no torch import: read with the config)."""

from importlib.util import find_spec
from typing import Literal

from pydantic import Field, field_validator, model_validator

from brainlapse.networks.settings import NetworkSettings
from brainlapse.settings import Place, Settings
from brainlapse.training.heads.settings import HEAD_FAMILIES, HeadSettings
from brainlapse.training.loop.loss_settings import LossSettings
from brainlapse.training.model.start_settings import check_start


class TrainingSettings(Settings):
    """Budget, optimiser and bookkeeping of a training run; the first limit reached ends it."""

    epochs: int = Field(230, description="Most passes over the training scans; MRExtrap: 230", ge=1)
    steps: int | None = Field(
        None, description="Most updates of the autoencoder; none: no limit", ge=1
    )
    max_minutes: float | None = Field(
        None,
        description="Most wall-clock time [min]; none: no limit. Ends at another step on another "
        "machine, so the numbers don't repeat",
        gt=0,
    )
    batch_size: int = Field(2, description="Scans per update, of all devices together", ge=1)
    micro_batch: int | None = Field(
        None,
        description="Scans per pass; the gradients of several passes add up to one update, so "
        "that a large batch needs the memory of a small one; none: as many as a "
        "device has of the batch, and half as many each time a GPU runs out of memory",
        ge=1,
    )
    devices: int | Literal["auto"] = Field(
        1,
        description="GPUs of each node that share each batch; auto: all that the job sees. "
        "Without a GPU: processes that share the threads; auto: 1",
    )
    nodes: int = Field(
        1,
        description="Nodes of a SLURM job that share each batch, each with `devices` GPUs; more "
        "than 1 needs SLURM (docs/autoencoders.md)",
        ge=1,
    )
    learning_rate: float = Field(1e-3, description="Peak learning rate of AdamW", gt=0, le=0.1)
    warmup_fraction: float = Field(
        0.03, description="Part of the run over which the rate rises linearly", ge=0, le=0.5
    )
    final_rate_fraction: float = Field(
        0.02, description="Rate at the end as part of the peak; a half cosine between", ge=0, le=1
    )
    weight_decay: float = Field(1e-4, description="Weight decay of AdamW", ge=0, le=1)
    clip_norm: float = Field(
        1.0, description="Largest norm of the gradient; larger ones are scaled down", gt=0
    )
    validate_every: int = Field(1, description="Epochs between looks at the validation scans", ge=1)
    ema_decay: float = Field(
        0.0,
        description="Decay per update of a running average of the weights, which is then what is "
        "validated and kept; 0: none",
        ge=0,
        le=0.99999,
    )
    selection: Literal["l1", "total", "volumes", "last"] = Field(
        "l1",
        description="What picks the kept weights on the validation scans: a term of the loss (l1, "
        "total), or volumes: mean error of regional volumes of the reconstructions, measured by "
        "the embedded segmenter; last: nothing, the weights at the end are kept. Once the "
        "adversarial term has begun, only epochs with it compete",
    )
    selection_scans: int = Field(
        4,
        description="selection: volumes only: validation scans that are segmented at each look",
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
        5.0, description="Time between resume checkpoints [min]", ge=0
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
        shares = self.nodes * (1 if self.devices == "auto" else int(self.devices))
        if shares > self.batch_size:
            message = (
                f"batch_size: {self.batch_size} scans cannot be shared by {shares} devices; "
                "raise batch_size or lower devices or nodes"
            )
            raise ValueError(message)
        return self


class AugmentationSettings(Settings):
    """Random changes of every training scan, drawn anew at each use."""

    warp_probability: float = Field(
        0.8, description="Part of the scans that get a random smooth warp", ge=0, le=1
    )
    warp_mm: float = Field(
        3.0, description="Standard deviation of the warp's displacement [mm]", ge=0, le=20
    )
    warp_spacing_mm: float = Field(
        24.0, description="Distance between independent displacements [mm]", ge=5, le=100
    )
    flip_probability: float = Field(
        0.5, description="Part of the scans mirrored left to right", ge=0, le=1
    )
    gamma: float = Field(
        0.1, description="Standard deviation of the log of the contrast exponent", ge=0, le=1
    )
    gain: float = Field(
        0.05, description="Standard deviation of the log of the brightness factor", ge=0, le=1
    )


class AutoencoderSettings(Settings):
    """One model of the mapping `autoencoders`: its network, loss, training and augmentation."""

    start: Place | None = Field(
        None,
        description="Weights to start from: `pretrained` (the network that comes along, trained on "
        "synthetic brains) or a folder with model.safetensors and config.json (a model of another "
        "run, a bundle); none: fresh ones. The network's settings must be the same",
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings, description="Network")
    loss: LossSettings = Field(default_factory=LossSettings, description="Loss (Eq. 1 of MRExtrap)")
    training: TrainingSettings = Field(
        default_factory=TrainingSettings, description="Budget and optimiser"
    )
    augmentation: AugmentationSettings = Field(
        default_factory=AugmentationSettings, description="Random changes of training scans"
    )
    heads: HeadSettings | None = Field(
        None,
        description="s2d and vector only: heads for tasks, trained jointly with the autoencoder; "
        "none: the autoencoder sees no labels",
    )
    bundle: Place | None = Field(
        None,
        description="Folder or .zip of a bundle that gives the model instead of training; the "
        "other settings of this model then stay at their defaults",
    )

    @model_validator(mode="after")
    def _check_start(self) -> "AutoencoderSettings":
        if self.start is not None:
            try:
                check_start(self.start, self.network.model_dump(mode="json"))
            except ValueError as error:
                message = f"start: {error}"
                raise ValueError(message) from None
        return self

    @model_validator(mode="after")
    def _check_heads(self) -> "AutoencoderSettings":
        if self.heads is not None and self.network.family not in HEAD_FAMILIES:
            message = (
                f"heads: are trained with family {' or '.join(HEAD_FAMILIES)}, not with "
                f"{self.network.family}; leave them out"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_family(self) -> "AutoencoderSettings":
        if self.network.family == "pca" and self.start is not None:
            message = "start: family pca is fitted in closed form; leave it out"
            raise ValueError(message)
        if self.network.family != "pca":
            return self
        for name in ("loss", "training", "augmentation"):
            if getattr(self, name) != type(getattr(self, name))():
                message = f"{name}: family pca is fitted in closed form, without one; leave it out"
                raise ValueError(message)
        return self


class EncodingSettings(Settings):
    """Encoding of all scans and decoding of latents."""

    batch_size: int = Field(
        4,
        description="Scans or latents per pass; the last pass is filled up, so that a scan's "
        "latent doesn't depend on its companions",
        ge=1,
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Arithmetic on a GPU, float32 or bfloat16 (mixed); a CPU always takes float32",
    )
    decode_tile: int | None = Field(
        None,
        description="Edge of the tiles in which a latent is decoded where memory is short [latent "
        "elements]; none: the whole at once. Much slower, and inexact where the "
        "overlap is small (docs/autoencoders.md)",
        ge=2,
    )
    decode_overlap: int = Field(
        8, description="What a tile sees of its neighbours [latent elements]", ge=0, le=64
    )
    perceptual: bool = Field(
        True,
        description="Measure the perceptual distance of every reconstruction as well, in the "
        "features of the embedded segmenter",
    )
