"""Label maps on disk."""

from pathlib import Path


def label_map_name(path: Path) -> str:
    """File name of a label map without ``.nii`` or ``.nii.gz``."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def find_label_maps(folder: str | Path) -> list[Path]:
    """NIfTI files of a folder, sorted.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    paths = sorted(path for path in Path(folder).glob("*.nii*") if path.is_file())
    if not paths:
        message = f"{folder}: expected label maps (*.nii or *.nii.gz), found none"
        raise FileNotFoundError(message)
    return paths
