"""Settings of the segmenter's training (no torch import: read when the config is checked)."""

from pydantic import Field, model_validator

from brainlapse.settings import Place, Settings


class SynthesisSettings(Settings):
    """How images are drawn from label maps (Billot et al. 2023, doi:10.1016/j.media.2023.102789).

    Every value is the upper end, or the standard deviation, of what is drawn anew for each image.
    """

    rotation_deg: float = Field(4.0, ge=0, le=45, description="SD of the rotations [degrees]")
    shift_mm: float = Field(3.0, ge=0, le=30, description="SD of the shifts [mm]")
    scale: float = Field(0.06, ge=0, le=0.5, description="SD of the scales, as a share")
    shear: float = Field(0.03, ge=0, le=0.5, description="SD of the shears, as a share")
    warp_mm: float = Field(
        3.0, ge=0, le=20, description="Largest SD of the smooth random warp [mm]"
    )
    ventricle_mm: tuple[float, float] = Field(
        (-1.5, 5.0),
        description="Range by which the walls of the ventricles move outwards [mm]: brains of "
        "young and of old people out of few label maps",
    )
    random_contrast: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Share of images whose tissues have any intensity; the others look T1-weighted",
    )
    resolution_mm: float = Field(
        3.0, ge=1, le=9, description="Coarsest voxel of a simulated acquisition [mm]"
    )
    bias: float = Field(0.12, ge=0, le=1, description="Largest SD of the log bias field")
    noise: float = Field(0.06, ge=0, le=1, description="Largest SD of the noise; white matter 0.85")
    decoded: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of images that are blurred after stripping, as decoded scans look",
    )


class SegmenterSettings(Settings):
    """Training of the embedded segmenter (config key ``segmenter``)."""

    label_maps: Place = Field(
        min_length=1,
        description="Folder of label maps (NIfTI, FreeSurfer ids, whole heads or at least all "
        "inside the skull)",
    )
    validation: tuple[str, ...] = Field(
        (), description="File names (without ending) of label maps kept out of training"
    )
    patch: tuple[int, int, int] = Field(
        (96, 112, 96), description="Voxels [1 mm] of the patches trained on, multiples of 16"
    )
    batch_size: int = Field(2, ge=1, le=64, description="Patches per step")
    voxel_share: float = Field(
        0.35,
        gt=0,
        le=1,
        description="Share of a patch's blocks of 8 voxels that enter the loss: neighbours teach "
        "alike, and the loss would take longer than the network",
    )
    steps: int = Field(5000, ge=1, description="Steps of the whole training")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Peak learning rate of AdamW")
    warmup_steps: int = Field(100, ge=0, description="Steps of linear rise of the rate")
    weight_decay: float = Field(1e-4, ge=0, description="Weight decay of AdamW")
    averaging: float = Field(
        0.998, ge=0, lt=1, description="Decay of the running average of weights that is kept"
    )
    freeze_norm: float = Field(
        0.85,
        ge=0,
        le=1,
        description="Share of the steps after which batch normalisation keeps its statistics, so "
        "that the network ends as it will be used",
    )
    checkpoint_minutes: float = Field(5.0, gt=0, description="Minutes between checkpoints")
    validate_every: int = Field(1000, ge=1, description="Steps between looks at validation heads")
    synthesis: SynthesisSettings = Field(
        default_factory=SynthesisSettings, description="How images are drawn"
    )

    @model_validator(mode="after")
    def _check_patch(self) -> "SegmenterSettings":
        if any(size % 16 or size <= 0 for size in self.patch):
            message = f"patch: {list(self.patch)} must be multiples of 16"
            raise ValueError(message)
        return self
