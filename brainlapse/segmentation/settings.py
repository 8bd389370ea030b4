"""Settings of the segmentation stage."""

from typing import Literal

from pydantic import Field, model_validator

from brainlapse.settings import Settings

Backend = Literal["tissue", "native", "docker", "podman", "apptainer"]


class SegmentationSettings(Settings):
    """How regional volumes are measured (config key ``segmentation``)."""

    backend: Backend = Field(
        "tissue",
        description="tissue: embedded, grey matter, white matter, CSF and ventricles; the others "
        "run FreeSurfer's mri_synthseg: native (installed here), docker, podman or apptainer",
    )
    binary: str = Field(
        "mri_synthseg",
        min_length=1,
        description="name or path of mri_synthseg, on this machine (native) or in the image",
    )
    image: str = Field(
        "freesurfer/freesurfer:7.4.1",
        min_length=1,
        description="container image for docker and podman; for apptainer a .sif file or docker://",
    )
    timeout_s: float = Field(
        1800.0, gt=0, description="time limit for one scan with mri_synthseg [s], above 0"
    )
    gpu: bool = Field(False, description="let mri_synthseg use the GPU (else it gets --cpu)")
    fast: bool = Field(False, description="mri_synthseg --fast: fewer post-processing steps")
    intracranial_min_mm3: float = Field(
        600_000.0, gt=0, description="smallest plausible intracranial volume [mm3], above 0"
    )
    intracranial_max_mm3: float = Field(
        3_000_000.0, gt=0, description="largest plausible intracranial volume [mm3], above 0"
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
