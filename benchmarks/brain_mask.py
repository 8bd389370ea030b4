"""Compare two sizes of deepbet's network: time and agreement with a segmentation.

    python -m benchmarks.brain_mask BIDS TRUTH --groups label_groups.json [--scans 4]

BIDS holds sub-*/anat/*_T1w.nii.gz, TRUTH sub-*/anat/*_dseg.nii.gz on the same grids; the groups
file lists under "intracranial" the labels inside the skull (default: every label above 0).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from brainlapse.images import load_canonical
from brainlapse.preprocessing.agreement import dice
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.preprocessing.quality.reference import registration_target

SIZES = (192, 256)


def compare(scan: Path, truth: Path, labels: list[int] | None) -> list[tuple[float, float]]:
    """Return (seconds, Dice) per network size for one scan."""
    volume, affine = load_canonical(scan)
    segmentation, _ = load_canonical(truth)
    inside = np.isin(segmentation, labels) if labels else segmentation > 0
    target = registration_target(2.0)
    found = []
    for size in SIZES:
        begun = time.process_time()
        mask = find_brain(volume, affine, target, MaskSettings(network_voxels=size)).mask
        found.append((time.process_time() - begun, dice(mask, inside)))
    return found


def main() -> None:
    """Print one line per scan and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bids", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--groups", type=Path)
    parser.add_argument("--scans", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    labels = json.loads(options.groups.read_text())["intracranial"] if options.groups else None
    rows = []
    for scan in sorted(options.bids.glob("sub-*/anat/*_T1w.nii.gz"))[: options.scans]:
        subject = scan.parent.parent.name
        truth = next((options.truth / subject / "anat").glob("*_dseg.nii.gz"))
        rows.append(compare(scan, truth, labels))
        print(
            subject,
            *(
                f"{size}: {s:.1f} s, Dice {d:.4f}"
                for size, (s, d) in zip(SIZES, rows[-1], strict=True)
            ),
        )
    if not rows:
        raise SystemExit(f"{options.bids}: no sub-*/anat/*_T1w.nii.gz")
    seconds, overlap = np.moveaxis(np.array(rows), 2, 0)
    ratio = seconds[:, 1].sum() / seconds[:, 0].sum()
    print(f"{SIZES[1]} takes {ratio:.1f} times as long as {SIZES[0]}; mean Dice {overlap.mean(0)}")


if __name__ == "__main__":
    main()
