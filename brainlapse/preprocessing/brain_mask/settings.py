"""Settings of the brain mask."""

from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from brainlapse.settings import Settings


class SynthStripSettings(Settings):
    """How FreeSurfer's mri_synthstrip is run; read by the method `synthstrip` only."""

    backend: Literal["native", "docker", "podman", "apptainer"] = Field(
        "native", description="Installed here (`native`), or the container engine."
    )
    binary: str = Field(
        "mri_synthstrip",
        min_length=1,
        description="Name or path of the program, on this machine or in the image.",
    )
    image: str = Field(
        "freesurfer/freesurfer:7.4.1",
        min_length=1,
        description="Container image, already on this machine; for apptainer a .sif file, a "
        "sandbox folder or an address.",
    )
    container_options: list[str] = Field(
        default_factory=list,
        description="Further options of docker run, podman run or apptainer exec, one word per "
        "item.",
    )
    timeout_s: float = Field(
        900.0, gt=0.0, le=86400.0, description="Time limit for one scan [s], 0 to 86400."
    )


Way = Literal[
    "stripped", "deepbet", "deepbet-upright", "deepbet-flattened", "synthstrip", "template"
]
"""Names of the registry, in `ways/registry.py`."""


class MaskSettings(Settings):
    """How the brain is found in a raw scan."""

    ways: tuple[Way, ...] = Field(
        get_args(Way),
        min_length=1,
        description="Ways to a mask, in the order in which they are gone until one convinces: "
        "`stripped` (all but the one value around it), `deepbet` on the scan as it is, "
        "`deepbet-upright` on the head laid upright and cropped, `deepbet-flattened` the same "
        "without coil profile and bright fat, `synthstrip` (FreeSurfer's program; passed over "
        "where it is not installed), `template`: the template's mask laid on the head, rough.",
    )
    convincing: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Score of the judge from which a mask is taken without going further ways, "
        "0 to 1.",
    )
    synthstrip: SynthStripSettings = Field(
        default_factory=SynthStripSettings, description="How mri_synthstrip is run."
    )
    min_template_correlation: float = Field(
        0.65,
        ge=0.0,
        le=1.0,
        description="Way `template`: correlation of head and template at 8 mm below which it "
        "gives no mask, 0 to 1.",
    )
    network_voxels: int = Field(
        256,
        ge=128,
        le=256,
        multiple_of=32,
        description="Edge of the cube that deepbet's network sees [voxels], 128 to 256 in steps "
        "of 32; 192 takes half as long, and finds less of wide fluid spaces.",
    )
    threshold: float = Field(
        0.5, gt=0.0, lt=1.0, description="Probability above which a voxel is brain, 0 to 1."
    )
    min_volume_ml: float = Field(
        200.0,
        ge=0.0,
        le=1500.0,
        description="A smaller mask is none [ml], 0 to 1500; a newborn's brain has 350.",
    )
    max_volume_ml: float = Field(
        2500.0, ge=1500.0, le=5000.0, description="A larger mask is none [ml], 1500 to 5000."
    )

    @model_validator(mode="before")
    @classmethod
    def explain_ways(cls, raw: Any) -> Any:
        """Say what became of the single method."""
        if isinstance(raw, dict) and "method" in raw:
            message = (
                "`method` became a list of ways, gone one after the other until one convinces: "
                "leave it out, or write e.g. `ways: [stripped, synthstrip]`"
            )
            raise ValueError(message)
        return raw
