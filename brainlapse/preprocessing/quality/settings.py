"""Settings of quality control."""

from typing import Literal

from pydantic import Field

from brainlapse.settings import Place, Settings


class QualitySettings(Settings):
    """When a scan is flagged (kept but not fitted on) or rejected, and who overrules that."""

    review: Place | None = Field(
        None,
        description="Table of a person's decisions, with the columns dataset, scan, decision "
        "(keep or exclude) and note; without a name, `qc_review.tsv` in the output folder if "
        "it is there.",
    )
    outlier_z: float = Field(
        8.0,
        gt=0.0,
        le=100.0,
        description="Robust z-score of a number within its data set above which a scan is "
        "flagged, 0 to 100; 8 flags at most 2 % of healthy scans.",
    )
    outlier_min_scans: int = Field(
        10,
        ge=5,
        le=100000,
        description="Data sets with fewer usable scans than this get no flags from comparing "
        "their scans, 5 to 100000.",
    )

    max_scale_change: float = Field(
        0.02,
        gt=0.0,
        le=0.5,
        description="Difference in size between two visits of a person [fraction] above which the "
        "later one is flagged, 0 to 0.5: the voxel size of one of them is wrong.",
    )
    max_mask_change: float = Field(
        0.06,
        gt=0.0,
        le=0.5,
        description="Difference in volume of the brain masks of two visits [fraction] above which "
        "the later one is flagged, 0 to 0.5.",
    )
    max_contrast_change: float = Field(
        0.15,
        gt=0.0,
        le=1.0,
        description="Difference in contrast between two visits [fraction] above which another "
        "scanner or sequence is suspected, 0 to 1.",
    )
    scanner_change: Literal["note", "flag"] = Field(
        "note",
        description="What a change of scanner, contrast or voxel size within a person does: `note` "
        "names it in `visits.tsv` and on the page, `flag` flags the visit as well.",
    )
    max_detail_correlation: float = Field(
        0.9995,
        gt=0.9,
        le=1.0,
        description="Correlation of the voxels of two visits above which they are one image under "
        "two names, and the later one is flagged, 0.9 to 1.",
    )
    min_mask_score: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="Score of the judge of brain masks below which a scan is flagged, 0 to 1.",
    )
    min_mask_volume_ml: float = Field(
        900.0, ge=0.0, le=3000.0, description="Smaller brain masks are flagged [ml], 0 to 3000."
    )
    max_mask_volume_ml: float = Field(
        2200.0, ge=0.0, le=5000.0, description="Larger brain masks are flagged [ml], 0 to 5000."
    )
    min_overlap: float = Field(
        0.92,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the brain mask and the template's below which a scan is "
        "flagged, 0 to 1.",
    )
    reject_overlap: float = Field(
        0.80,
        ge=0.0,
        le=1.0,
        description="Dice coefficient of the masks below which a scan is rejected, 0 to 1.",
    )
    min_correlation: float = Field(
        0.35,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template inside its mask below which a scan is "
        "flagged, -1 to 1.",
    )
    reject_correlation: float = Field(
        0.30,
        ge=-1.0,
        le=1.0,
        description="Correlation with the template below which a scan is rejected, -1 to 1.",
    )
    min_scale: float = Field(
        0.75, gt=0.0, le=1.0, description="Smaller scales of the affine are flagged, 0 to 1."
    )
    max_scale: float = Field(
        1.40, ge=1.0, le=5.0, description="Larger scales of the affine are flagged, 1 to 5."
    )
    max_shear: float = Field(
        0.20, ge=0.0, le=2.0, description="Larger shears of the affine are flagged, 0 to 2."
    )
    max_bias_range: float = Field(
        5.0,
        ge=1.0,
        le=100.0,
        description="Ratio of the strongest to the weakest part of the bias field (98th to 2nd "
        "percentile inside the mask) above which a scan is flagged, 1 to 100.",
    )
    min_contrast: float = Field(
        0.6,
        ge=-10.0,
        le=10.0,
        description="Contrast of white to grey matter in units of their noise below which a scan "
        "is flagged, -10 to 10.",
    )
    max_cut_area_cm2: float = Field(
        10.0,
        ge=0.0,
        le=1000.0,
        description="Area over which the brain touches the edge of the field of view above which "
        "a scan is flagged [cm2], 0 to 1000.",
    )
    max_dark_slices: int = Field(
        0,
        ge=0,
        le=1000,
        description="Number of slices without signal inside the brain above which a scan is "
        "flagged, 0 to 1000.",
    )
    max_residual_degrees: float = Field(
        4.0,
        ge=0.0,
        le=180.0,
        description="Turn by which a registered brain would still fit the template better, "
        "above which a scan is flagged [degrees], 0 to 180.",
    )
    max_residual_mm: float = Field(
        5.0,
        ge=0.0,
        le=100.0,
        description="Mean displacement by which a registered brain would still fit the template "
        "better, above which a scan is flagged [mm], 0 to 100.",
    )
    max_rotation_degrees: float = Field(
        75.0,
        ge=0.0,
        le=180.0,
        description="Turn of the head against the axes in its header above which a scan is "
        "flagged [degrees], 0 to 180.",
    )
