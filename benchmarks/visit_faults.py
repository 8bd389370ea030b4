"""Plant faults among the visits of a simulated cohort, and ask what became of them.

    snakemake --cores 2 results/simulated/demo
    python -m benchmarks.visit_faults plant results/simulated/demo faulty --subjects 8
    snakemake --cores 2 preprocess --config output=checked 'datasets={faulty: {bids: faulty}}'
    python -m benchmarks.visit_faults judge checked

Swapped are the second sessions of the first two people. Of the third person the second session is
a copy of the first; of the fourth, a copy that is brighter by 1.7 and stored from another corner,
so that no byte is the same. The third session of the fifth was made on another scanner: grey and
white matter are half as far apart. `judge` prints every flagged, rejected or noted visit.
"""

import argparse
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np

from brainlapse.runtime import read_table

PLANTED = (
    "sub-01_ses-2 and sub-02_ses-2 swapped; sub-03_ses-2 a copy of ses-1; sub-04_ses-2 a brighter, "
    "mirrored copy of ses-1; sub-05_ses-3 of another scanner"
)


def scan_at(folder: Path, subject: int, session: int) -> Path:
    """Return the raw scan of a visit of a simulated cohort."""
    name, visit = f"sub-{subject:02d}", f"ses-{session}"
    return folder / name / visit / "anat" / f"{name}_{visit}_T1w.nii.gz"


def plant(source: Path, target: Path, subjects: int) -> None:
    """Write the first people of a cohort with the faults."""
    names = [f"sub-{number:02d}" for number in range(1, subjects + 1)]
    target.mkdir(parents=True)
    shutil.copy(source / "dataset_description.json", target)
    lines = (source / "participants.tsv").read_text().splitlines()
    kept = [line for line in lines if line.split("\t")[0] in ("participant_id", *names)]
    (target / "participants.tsv").write_text("\n".join(kept) + "\n")
    for name in names:
        shutil.copytree(source / name, target / name)
    for mine, other in ((1, 2), (2, 1)):
        shutil.copy(scan_at(source, other, 2), scan_at(target, mine, 2))
    shutil.copy(scan_at(source, 3, 1), scan_at(target, 3, 2))
    change(scan_at(source, 4, 1), scan_at(target, 4, 2), lambda volume: 1.7 * volume)
    change(scan_at(source, 5, 3), scan_at(target, 5, 3), flatten)
    print(f"planted: {PLANTED}")


def change(source: Path, target: Path, how) -> None:
    """Write a scan with other intensities, stored from the opposite corner."""
    image = nib.load(source)
    volume = how(image.get_fdata(dtype=np.float32))
    shape = np.array(volume.shape)
    flip = np.diag([-1.0, -1, -1, 1])
    flip[:3, 3] = shape - 1
    nib.save(nib.Nifti1Image(volume[::-1, ::-1, ::-1], image.affine @ flip), target)


def flatten(volume: np.ndarray) -> np.ndarray:
    """Bring grey and white matter closer: intensities above the median of the head by half."""
    head = float(np.median(volume[volume > 0.2 * np.percentile(volume, 99)]))
    return np.where(volume > head, head + 0.5 * (volume - head), volume)


def judge(results: Path) -> None:
    """Print what a run found."""
    print(f"planted: {PLANTED}")
    for name in ("cohort", "preprocess"):
        for row in read_table(results / name / "rejected.tsv").to_dict("records"):
            print(f"rejected by {name}: {row['scan']}: {row['reason']}")
    quality = read_table(results / "preprocess/qc.tsv")
    for row in quality[quality["status"] == "flagged"].to_dict("records"):
        print(f"flagged: {row['scan']}: {row['reasons']}")
    visits = read_table(results / "preprocess/visits.tsv").dropna(subset=["findings"])
    for row in visits.to_dict("records"):
        print(f"noted: {row['scan']} beside {row['compared_with']}: {row['findings']}")
    print(f"{len(quality)} scans, {(quality['status'] == 'accepted').sum()} accepted")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    planting = commands.add_parser("plant")
    planting.add_argument("source", type=Path)
    planting.add_argument("target", type=Path)
    planting.add_argument("--subjects", type=int, default=8)
    judging = commands.add_parser("judge")
    judging.add_argument("results", type=Path)
    options = parser.parse_args()
    if options.command == "plant":
        plant(options.source, options.target, options.subjects)
    else:
        judge(options.results)


if __name__ == "__main__":
    main()
