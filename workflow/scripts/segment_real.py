"""Segment the real scans of one subject."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.images import load_volume, save_volume
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import labels_name, tabulate_images


def main(snakemake) -> None:
    """Unpack the job, segment, write the table and a label map for every scan."""
    runtime.start(snakemake)
    settings = SegmentationSettings.model_validate(snakemake.params.settings)
    folder = Path(snakemake.output.labels)
    folder.mkdir(parents=True, exist_ok=True)

    images = [Path(brain) for brain in snakemake.input.brains]
    found = segment_scans(images, settings, snakemake.threads)
    for image, segmentation in zip(images, found, strict=True):
        if segmentation.labels is not None:
            save_volume(folder / labels_name(image), segmentation.labels, load_volume(image)[1])
    job = {
        "dataset": snakemake.wildcards.dataset,
        "model": None,
        "kind": "real",
        "backend": settings.backend,
    }
    runtime.write_table(snakemake.output.volumes, tabulate_images(images, found, job))


main(snakemake)
