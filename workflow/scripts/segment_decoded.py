"""Segment what one autoencoder decoded of one subject: reconstructed, predicted, interpolated."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import planned_images, tabulate_images


def main(snakemake) -> None:
    """Unpack the job, segment, write the table."""
    runtime.start(snakemake)
    settings = SegmentationSettings.model_validate(snakemake.params.settings)
    wildcards = snakemake.wildcards
    images = planned_images(Path(snakemake.input.folder), snakemake.params.images)
    job = {
        "dataset": wildcards.dataset,
        "model": wildcards.model,
        "kind": wildcards.kind,
        "backend": settings.backend,
    }
    found = segment_scans(images, settings, snakemake.threads)
    runtime.write_table(snakemake.output.volumes, tabulate_images(images, found, job))


main(snakemake)
