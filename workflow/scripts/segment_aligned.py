"""Segment the visits of one person at 1 mm in the space that they share."""

import tempfile
from pathlib import Path

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.preprocessing.longitudinal.aligned import AlignedVisits, with_roots
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.embedded.network import GRID
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import brain_name, tabulate_images


def main(snakemake) -> None:
    """Unpack the job, interpolate, segment, write the table."""
    runtime.start(snakemake)
    params = snakemake.params
    settings = SegmentationSettings.model_validate(params.settings)
    visits = {visit[0]: VisitFiles.at(*visit) for visit in params.visits["visits"]}
    aligned = AlignedVisits(
        GRID,
        ResamplingSettings.model_validate(params.resampling),
        IntensitySettings.model_validate(params.intensity),
    )
    with tempfile.TemporaryDirectory() as folder:
        images = []
        for visit, root in with_roots(params.visits["usable"], visits):
            images.append(Path(folder, brain_name(visit.scan)))
            save_volume(images[-1], aligned.brain(visit, root), GRID.affine)
        found = segment_scans(images, settings, snakemake.threads, prepared=True)
    job = {
        "dataset": snakemake.wildcards.dataset,
        "model": None,
        "kind": "aligned",
        "backend": settings.backend,
    }
    runtime.write_table(snakemake.output.volumes, tabulate_images(images, found, job))


main(snakemake)
