"""Segment what one autoencoder decoded of one subject: reconstructed, predicted, interpolated."""

import functools
from pathlib import Path

from brainlapse import runtime
from brainlapse.segmentation.atlas import read_atlas
from brainlapse.segmentation.backends import segment_scan
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import find_images, measure_images


def main(snakemake) -> None:
    """Unpack the job, segment, write the table."""
    runtime.start(snakemake)
    settings = SegmentationSettings.model_validate(snakemake.params.settings)
    wildcards = snakemake.wildcards
    segment = functools.partial(
        segment_scan,
        settings=settings,
        atlas=read_atlas(snakemake.input.atlas),
        threads=snakemake.threads,
    )
    images = find_images(Path(snakemake.input.folder), wildcards.dataset, wildcards.subject)
    job = {
        "dataset": wildcards.dataset,
        "model": wildcards.model,
        "kind": wildcards.kind,
        "backend": settings.backend,
    }
    runtime.write_table(snakemake.output.volumes, measure_images(images, segment, job))


main(snakemake)
