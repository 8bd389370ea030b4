"""Segment the real scans of one subject."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.images import load_volume, save_volume
from brainlapse.segmentation.atlas import read_atlas
from brainlapse.segmentation.backends import Segmentation, segment_scan
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import labels_name, measure_images


def main(snakemake) -> None:
    """Unpack the job, segment, write the table and a label map for every scan."""
    runtime.start(snakemake)
    settings = SegmentationSettings.model_validate(snakemake.params.settings)
    atlas = read_atlas(snakemake.input.atlas)
    folder = Path(snakemake.output.labels)
    folder.mkdir(parents=True, exist_ok=True)

    def segment(image: Path) -> Segmentation:
        found = segment_scan(image, settings, atlas, snakemake.threads)
        if found.labels is not None:
            save_volume(folder / labels_name(image), found.labels, load_volume(image)[1])
        return found

    job = {
        "dataset": snakemake.wildcards.dataset,
        "model": None,
        "kind": "real",
        "backend": settings.backend,
    }
    table = measure_images(map(Path, snakemake.input.brains), segment, job)
    runtime.write_table(snakemake.output.volumes, table)


main(snakemake)
