"""Take in a brain that is in MNI space already: measure it, bring it to the grid and the scale."""

import numpy as np

from brainlapse import runtime
from brainlapse.cohort.scans.raw import load_raw_scan
from brainlapse.images import save_volume
from brainlapse.preprocessing.intake import take_brain
from brainlapse.preprocessing.intensity import find_anchors, normalise
from brainlapse.preprocessing.quality.fingerprint import take_fingerprint
from brainlapse.preprocessing.quality.measures import NativeScan, measure, quality_record
from brainlapse.preprocessing.quality.reference import load_reference
from brainlapse.preprocessing.registration.transforms import write_world_transform
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.rejection import run_stage
from brainlapse.space import SpaceSettings, mni_grid

NOT_SEEN = ("cut_area_cm2", "dark_slices", "bias_range")  # in a brain without its head
TAKEN = {"way": "taken", "score": None, "tried": {}}


def main(snakemake) -> None:
    """Write what the stages from the raw head to the brain write, the transforms as identity."""
    runtime.start(snakemake)
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    resampling = ResamplingSettings.model_validate(params.resampling)
    intensity = IntensitySettings.model_validate(params.intensity)
    grid = mni_grid(SpaceSettings.model_validate(params.space))

    def take() -> None:
        reference = load_reference(
            {name: inputs[name] for name in ("t1", "grey", "white", "brain_mask")}
        )
        volume, affine = load_raw_scan(params.path, params.scan)
        taken = take_brain(volume, affine, grid, reference.brain_mask, resampling)
        for remark in taken.remarks:
            runtime.log.info("%s: %s", params.path, remark)
        anchors = find_anchors(taken.brain[taken.mask], intensity, reference.white[taken.mask])
        brain = normalise(taken.brain, taken.mask, intensity, anchors)
        native = NativeScan(taken.native, taken.native, taken.native_mask, affine)
        numbers = measure(native, np.eye(4), brain, taken.mask, reference, grid.affine)
        fingerprint = take_fingerprint(brain, grid)
        record = quality_record(numbers | dict.fromkeys(NOT_SEEN), TAKEN, fingerprint)
        save_volume(output.corrected, taken.native, affine)
        save_volume(output.native_mask, taken.native_mask, affine, dtype=np.uint8)
        for path in output.transforms:
            write_world_transform(path, np.eye(4))
        save_volume(output.brain, brain, grid.affine)
        save_volume(output.mask, taken.mask, grid.affine, dtype=np.uint8)
        runtime.write_json(output.scale, {"anchors": list(anchors), "remarks": list(taken.remarks)})
        runtime.write_json(output.quality, record)

    run_stage("take_brain", inputs, output, take)


main(snakemake)
