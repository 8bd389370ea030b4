"""Bring the intensities of one stripped brain to the common scale."""

from brainlapse import runtime
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.intensity import normalise
from brainlapse.preprocessing.settings import IntensitySettings
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the brain with values 0 to 1 and a background of exactly 0."""
    runtime.start(snakemake)
    settings = IntensitySettings.model_validate(snakemake.params.settings)

    def normalise_intensity() -> None:
        volume, affine = load_volume(snakemake.input.stripped)
        mask, _ = load_volume(snakemake.input.mask, volume.shape)
        visit = list(snakemake.input.visit)  # one or none
        records = [runtime.read_json(path, ["anchors"]) for path in visit]
        anchors = records[0]["anchors"] if records else None
        brain = normalise(volume, mask > 0, settings, anchors)
        save_volume(snakemake.output.brain, brain, affine)

    run_stage("normalise_intensity", snakemake.input, snakemake.output, normalise_intensity)


main(snakemake)
