"""Hold the regional volumes of a run against an independent segmentation of the same raw scans.

    python -m benchmarks.independent_volumes results/ixi ixi ../shared/data/ixi/derivatives/dlmuse

The folder holds a label map per subject (``*_dseg.nii.gz``) and ``label_groups.json`` with the
labels of ventricles, grey_matter and white_matter. Prints correlation and ratio per region.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.images import load_volume
from brainlapse.runtime import read_json, read_table

REGIONS = ("hippocampus", "ventricles", "grey_matter", "white_matter")


def independent_volumes(folder: Path) -> pd.DataFrame:
    """Volumes [mm3] of the label groups, a row per subject and region."""
    groups = read_json(folder / "label_groups.json")
    rows = []
    for path in sorted(folder.glob("sub-*/**/*_dseg.nii.gz")):
        labels, affine = load_volume(path)
        voxel_mm3 = abs(np.linalg.det(affine[:3, :3]))
        counts = np.bincount(labels.astype(int).ravel())
        for region in REGIONS:
            ids = [label for label in groups[region] if label < len(counts)]
            subject = path.relative_to(folder).parts[0]
            rows.append((subject, region, counts[ids].sum() * voxel_mm3))
    return pd.DataFrame(rows, columns=["subject", "region", "independent_mm3"])


def main() -> None:
    """Print one row per region."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="output folder of a finished run")
    parser.add_argument("dataset", help="name of the data set in the run")
    parser.add_argument("truth", type=Path, help="folder of the independent label maps")
    arguments = parser.parse_args()
    volumes = read_table(arguments.results / "volumes/volumes.tsv")
    real = volumes[(volumes["kind"] == "real") & (volumes["dataset"] == arguments.dataset)]
    both = real.merge(independent_volumes(arguments.truth), on=["subject", "region"])
    for region, scans in both.dropna(subset=["native_volume_mm3"]).groupby("region"):
        ratio = scans["native_volume_mm3"] / scans["independent_mm3"]
        correlation = scans["native_volume_mm3"].corr(scans["independent_mm3"])
        print(
            f"{region}: {len(scans)} scans, correlation {correlation:.3f}, "
            f"ratio {ratio.mean():.2f} +- {ratio.std():.2f}"
        )


if __name__ == "__main__":
    main()
