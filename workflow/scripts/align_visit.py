"""Align a later visit of a person to an earlier one, or register it on its own."""

import numpy as np

from brainlapse import runtime
from brainlapse.images import load_canonical, load_volume, save_volume
from brainlapse.preprocessing.longitudinal.chain import place_visit
from brainlapse.preprocessing.longitudinal.field import FIELD_GRID
from brainlapse.preprocessing.longitudinal.files import VisitFiles
from brainlapse.preprocessing.longitudinal.record import read_anchors, read_roots, visit_record
from brainlapse.preprocessing.longitudinal.settings import LongitudinalSettings
from brainlapse.preprocessing.longitudinal.visit import Visit
from brainlapse.preprocessing.quality.settings import QualitySettings
from brainlapse.preprocessing.registration.settings import RegistrationSettings
from brainlapse.preprocessing.registration.transforms import write_world_transform
from brainlapse.preprocessing.resampling import resample_mask
from brainlapse.preprocessing.settings import ResamplingSettings
from brainlapse.rejection import run_stage
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Write the transform, the mask in MNI space, the difference of brightness and the numbers."""
    runtime.start(snakemake)
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    earlier = {scan: VisitFiles.at(scan, *paths) for scan, *paths in params.earlier}
    grid = mni_grid(SpaceSettings.model_validate(params.space))

    def align_visit() -> None:
        volume, affine = load_canonical(inputs.corrected)
        native_mask, _ = load_canonical(inputs.mask, volume.shape)
        visit = Visit(snakemake.wildcards.scan_path, volume, native_mask > 0, affine)
        placement = place_visit(
            visit,
            read_roots(list(earlier.values()), QualitySettings.model_validate(params.quality)),
            load_volume(inputs.target),
            RegistrationSettings.model_validate(params.registration),
            LongitudinalSettings.model_validate(params.settings),
        )
        anchors = None
        if placement.root:
            files = earlier[placement.root.scan]
            anchors = read_anchors(files.scale)
            mask = load_volume(files.mni_mask, grid.shape)[0] > 0
        else:
            resampling = ResamplingSettings.model_validate(params.resampling)
            mask = resample_mask(visit.mask, affine, grid, placement.transform, resampling)
        write_world_transform(output.transform, placement.transform)
        save_volume(output.mask, mask, grid.affine, dtype=np.uint8)
        save_volume(output.field, placement.log_field, FIELD_GRID.affine)
        runtime.write_json(output.record, visit_record(placement, anchors))

    run_stage("align_visit", [inputs.corrected, inputs.mask], output, align_visit)


main(snakemake)
