"""Process and segment one scan once more, turned a little."""

import tempfile
from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.scans.raw import load_raw_scan
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.longitudinal.aligned import lift
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.longitudinal.repeat import (
    TURN_DEGREES,
    pair_up,
    place_pair,
    process_alone,
    turn_head,
)
from brainlapse.preprocessing.longitudinal.visit import read_visit
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.embedded.network import GRID
from brainlapse.segmentation.noise_floor import tabulate_repeats
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import brain_name
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Turn the raw head, run every step, segment both on both grids, write the table."""
    runtime.start(snakemake)
    params = snakemake.params
    settings = PreprocessSettings.model_validate(params.preprocess)
    segmentation = SegmentationSettings.model_validate(params.segmentation)
    root = read_visit(VisitFiles.at(*params.visit))
    raw, affine = to_canonical(*load_raw_scan(params.path, params.scan))
    turned = turn_head(raw, affine, TURN_DEGREES)
    alone = process_alone(turned, affine, load_volume(snakemake.input.target), settings)
    visit, pair = pair_up(root, alone, settings)
    runtime.log.info("%s again: %s", root.scan, pair.numbers)
    models = mni_grid(SpaceSettings.model_validate(params.space))
    scan = {"dataset": params.dataset, "scan": root.scan}
    parts = []
    for kind, grid in (("real", models), ("aligned", GRID)):
        with tempfile.TemporaryDirectory() as folder:
            images = [Path(folder, brain_name(name)) for name in ("first", "again")]
            brains = place_pair(root, visit, pair, grid, settings)
            for image, (brain, inside) in zip(images, brains, strict=True):
                content = lift(brain, inside) if kind == "aligned" else brain
                save_volume(image, content, grid.affine)
            found = segment_scans(images, segmentation, snakemake.threads, kind == "aligned")
        parts.append(tabulate_repeats(scan, kind, *(one.volumes_mm3 for one in found)))
    runtime.write_table(snakemake.output.repeats, pd.concat(parts))


main(snakemake)
