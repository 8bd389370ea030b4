"""Names of the files of a visit that later ones, and the segmentation at 1 mm, read."""

from dataclasses import dataclass
from pathlib import Path

from brainlapse.cohort.tables import BRAIN_MASK


@dataclass(frozen=True)
class VisitFiles:
    """Files of one visit.

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
    field
        Its difference of brightness; later visits have one.
    """

    scan: str
    corrected: Path
    mask: Path
    transform: Path
    scale: Path
    mni_mask: Path
    quality: Path
    field: Path

    @classmethod
    def at(cls, scan: str, stem: str, transform: str) -> "VisitFiles":
        """Files whose names begin with `stem`, the folder included."""
        return cls(
            scan=scan,
            corrected=Path(f"{stem}_desc-n4_T1w.nii.gz"),
            mask=Path(f"{stem}_space-T1w_desc-brain_mask.nii.gz"),
            transform=Path(transform),
            scale=Path(f"{stem}_space-MNI_desc-brain_T1w.json"),
            mni_mask=Path(f"{stem}{BRAIN_MASK}"),
            quality=Path(f"{stem}_qc.json"),
            field=Path(f"{stem}_space-MNI_desc-difference_field.nii.gz"),
        )

    def paths(self, *names: str) -> list[str]:
        """Return some of the files, by the names above."""
        return [str(getattr(self, name)) for name in names]
