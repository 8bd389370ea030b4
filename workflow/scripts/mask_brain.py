"""Find the brain in one raw scan."""

import numpy as np

from brainlapse import runtime
from brainlapse.cohort.scans.raw import load_raw_scan
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.brain_mask.masking import find_brain
from brainlapse.preprocessing.brain_mask.settings import MaskSettings
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the brain mask on the scan's own grid, and how it was found."""
    runtime.start(snakemake)
    settings = MaskSettings.model_validate(snakemake.params.settings)

    def mask_brain() -> None:
        volume, affine = load_raw_scan(snakemake.params.path, snakemake.params.scan)
        target = load_volume(snakemake.input.target)
        found = find_brain(volume, affine, target, settings)
        save_volume(snakemake.output.mask, found.mask, affine, dtype=np.uint8)
        runtime.write_json(snakemake.output.record, found.record())

    run_stage("mask_brain", snakemake.input, snakemake.output, mask_brain)


main(snakemake)
