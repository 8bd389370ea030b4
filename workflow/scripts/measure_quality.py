"""Measure how well one scan went through preprocessing."""

from brainlapse import runtime
from brainlapse.cohort.scans.raw import load_raw_scan
from brainlapse.images import load_volume
from brainlapse.preprocessing.quality.fingerprint import take_fingerprint
from brainlapse.preprocessing.quality.measures import NativeScan, measure, quality_record
from brainlapse.preprocessing.quality.reference import load_reference
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.rejection import run_stage
from brainlapse.space import Grid


def main(snakemake) -> None:
    """Write the numbers as JSON."""
    runtime.start(snakemake)
    maps = {name: snakemake.input[name] for name in ("t1", "grey", "white", "brain_mask")}

    def measure_quality() -> None:
        raw, affine = load_raw_scan(snakemake.params.path, snakemake.params.scan)
        corrected, _ = load_volume(snakemake.input.corrected, raw.shape)
        native_mask, _ = load_volume(snakemake.input.native_mask, raw.shape)
        brain, grid_affine = load_volume(snakemake.input.brain)
        mask, _ = load_volume(snakemake.input.mask, brain.shape)
        numbers = measure(
            native=NativeScan(raw, corrected, native_mask > 0, affine),
            transform=read_world_transform(snakemake.input.transform),
            brain=brain,
            brain_mask=mask > 0,
            reference=load_reference(maps),
            grid_affine=grid_affine,
        )
        grid = Grid((brain.shape[0], brain.shape[1], brain.shape[2]), grid_affine)
        fingerprint = take_fingerprint(brain, grid)
        found = runtime.read_json(snakemake.input.mask_record)
        visits = [runtime.read_json(path) for path in snakemake.input.visit]  # one or none
        record = quality_record(numbers, found, fingerprint, *visits)
        runtime.write_json(snakemake.output.quality, record)

    run_stage("measure_quality", snakemake.input, snakemake.output, measure_quality)


main(snakemake)
