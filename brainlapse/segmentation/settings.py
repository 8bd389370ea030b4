"""Settings of the segmentation stage."""

from typing import Literal

from pydantic import Field, model_validator

from brainlapse.settings import Place, Settings

Backend = Literal["embedded", "native", "docker", "podman", "apptainer"]
CONTAINERS = ("docker", "podman")
"""Backends whose containers outlive the program that started them."""


class SegmentationSettings(Settings):
    """How regional volumes are measured (config key ``segmentation``)."""

    backend: Backend = Field(
        "embedded",
        description="embedded: the network that comes along; native, docker, podman and "
        "apptainer: FreeSurfer's mri_synthseg, installed here or in a container image",
    )
    binary: str = Field(
        "mri_synthseg",
        min_length=1,
        description="Name or path of mri_synthseg, on this machine (native) or in the image",
    )
    weights: Place = Field(
        "",
        description="Safetensors file of another embedded network (target train_segmenter); "
        "empty: the network that comes along",
    )
    image: str = Field(
        "freesurfer/freesurfer:7.4.1",
        min_length=1,
        description="Container image; for apptainer a .sif file, a sandbox folder or an address "
        "(docker://...; a bare name is taken for one)",
    )
    container_options: list[str] = Field(
        default_factory=list,
        description="Further options of docker run, podman run or apptainer exec, one word per "
        "item; they come last, so they overrule",
    )
    reconstructions: Literal["held_out", "all"] = Field(
        "held_out",
        description="Which reconstructions are segmented: those of scans that trained no weights, "
        "or all; the latter takes several times as long",
    )
    timeout_s: float = Field(1800.0, gt=0, description="Time limit for one scan [s]")
    gpu: bool = Field(
        False,
        description="Let the segmenter use the GPU (else it gets --cpu); a scan that fails there "
        "is tried once more on the CPU",
    )
    fast: bool = Field(False, description="--fast: fewer post-processing steps, no flip averaging")
    intracranial_min_mm3: float = Field(
        600_000.0, gt=0, description="Smallest plausible intracranial volume [mm3]"
    )
    intracranial_max_mm3: float = Field(
        3_000_000.0, gt=0, description="Largest plausible intracranial volume [mm3]"
    )

    @model_validator(mode="after")
    def _ordered_limits(self) -> "SegmentationSettings":
        if self.intracranial_min_mm3 >= self.intracranial_max_mm3:
            message = (
                f"intracranial_min_mm3 ({self.intracranial_min_mm3:g}) must be below "
                f"intracranial_max_mm3 ({self.intracranial_max_mm3:g})"
            )
            raise ValueError(message)
        return self
