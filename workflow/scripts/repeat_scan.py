"""Process and segment one scan once more, turned a little."""

import tempfile
from pathlib import Path

import numpy as np
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
from brainlapse.rejection import run_stage
from brainlapse.segmentation.backends import segment_scans
from brainlapse.segmentation.embedded.network import GRID
from brainlapse.segmentation.noise_floor import tabulate_repeats
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.volumes import brain_name
from brainlapse.space import Grid, SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Turn the raw head, run every step, segment both on both grids, write the table."""
    runtime.start(snakemake)
    params, output = snakemake.params, snakemake.output
    settings = PreprocessSettings.model_validate(params.preprocess)
    segmentation = SegmentationSettings.model_validate(params.segmentation)
    grids = {"real": mni_grid(SpaceSettings.model_validate(params.space)), "aligned": GRID}

    def repeat_scan() -> None:
        root = read_visit(VisitFiles.at(*params.visit))
        raw, affine = to_canonical(*load_raw_scan(params.path, params.scan))
        turned = turn_head(raw, affine, TURN_DEGREES)
        alone = process_alone(turned, affine, load_volume(snakemake.input.target), settings)
        visit, pair = pair_up(root, alone, settings)
        scan = {"dataset": params.dataset, "scan": root.scan}
        parts = []
        for kind, grid in grids.items():
            brains = place_pair(root, visit, pair, grid, settings)
            prepared = kind == "aligned"
            images = [lift(*placed) if prepared else placed[0] for placed in brains]
            found = segment(images, grid, segmentation, snakemake.threads, prepared)
            parts.append(tabulate_repeats(scan, kind, *found))
        runtime.write_table(output.repeats, pd.concat(parts))

    run_stage("repeat_scan", [], output, repeat_scan)


def segment(
    images: list[np.ndarray],
    grid: Grid,
    settings: SegmentationSettings,
    threads: int,
    prepared: bool,
) -> list[dict[str, float]]:
    """Volumes [mm3] of two brains on a grid by region, the first as it was and again."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, brain_name(name)) for name in ("first", "again")]
        for path, image in zip(paths, images, strict=True):
            save_volume(path, image, grid.affine)
        return [one.volumes_mm3 for one in segment_scans(paths, settings, threads, prepared)]


main(snakemake)
