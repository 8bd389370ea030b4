"""Measure how well one scan went through preprocessing, and judge it."""

from brainlapse import runtime
from brainlapse.images import load_volume
from brainlapse.preprocessing.quality import NativeScan, judge, measure, quality_record
from brainlapse.preprocessing.reference import load_reference
from brainlapse.preprocessing.settings import QualitySettings
from brainlapse.preprocessing.transforms import read_world_transform
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write status, reasons and numbers as JSON."""
    runtime.start(snakemake)
    maps = {name: snakemake.input[name] for name in ("t1", "grey", "white", "brain_mask")}
    settings = QualitySettings.model_validate(snakemake.params.settings)

    def measure_quality() -> None:
        raw, affine = load_volume(snakemake.input.scan)
        corrected, _ = load_volume(snakemake.input.corrected)
        native_mask, _ = load_volume(snakemake.input.native_mask)
        brain, _ = load_volume(snakemake.input.brain)
        mask, _ = load_volume(snakemake.input.mask)
        numbers = measure(
            native=NativeScan(raw, corrected, native_mask > 0, affine),
            transform=read_world_transform(snakemake.input.transform),
            brain=brain,
            brain_mask=mask > 0,
            reference=load_reference(maps),
        )
        record = quality_record(numbers, judge(numbers, settings))
        runtime.write_json(snakemake.output.quality, record)

    run_stage("measure_quality", snakemake.input, snakemake.output, measure_quality)


main(snakemake)
