"""Segment the mean training image and compare its regional volumes with those of the scans."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.reconstructions import mean_image_errors
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.reading import read_volumes
from brainlapse.segmentation.settings import SegmentationSettings


def main(snakemake) -> None:
    """Unpack the job, segment, compare, write the table."""
    runtime.start(snakemake)
    params = snakemake.params
    settings = SegmentationSettings.model_validate(params.settings)
    (found,) = segment_scans([Path(snakemake.input.image)], settings, snakemake.threads)
    scans = pd.DataFrame(params.scans)
    volumes = read_volumes(snakemake.input.volumes, (snakemake.input.scans, scans))
    errors = mean_image_errors(volumes, scans, dict(found.volumes_mm3))
    runtime.write_table(snakemake.output.errors, errors)


main(snakemake)
