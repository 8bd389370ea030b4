"""Names of the files of a visit that later ones read."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EarlierFiles:
    """Files of one earlier visit.

    Attributes
    ----------
    scan
        Its name.
    corrected, mask
        Bias-corrected head and brain mask on its own grid.
    transform
        From the template to it.
    scale, mni_mask
        Scale of its intensities, and its mask in MNI space.
    quality
        Its ``_qc.json``.
    """

    scan: str
    corrected: Path
    mask: Path
    transform: Path
    scale: Path
    mni_mask: Path
    quality: Path

    @classmethod
    def at(cls, scan: str, stem: str, transform: str) -> "EarlierFiles":
        """Files whose names begin with `stem`, the folder included."""
        names = (
            "desc-n4_T1w.nii.gz",
            "space-T1w_desc-brain_mask.nii.gz",
            "space-MNI_desc-brain_T1w.json",
            "space-MNI_desc-brain_mask.nii.gz",
            "qc.json",
        )
        corrected, mask, scale, mni_mask, quality = (Path(f"{stem}_{name}") for name in names)
        return cls(scan, corrected, mask, Path(transform), scale, mni_mask, quality)

    def paths(self) -> list[Path]:
        """Every file, in the order above."""
        names = ("corrected", "mask", "transform", "scale", "mni_mask", "quality")
        return [getattr(self, name) for name in names]
