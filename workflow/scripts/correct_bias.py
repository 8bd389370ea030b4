"""Remove the bias field from one raw scan."""

from brainlapse import runtime
from brainlapse.cohort.scans.raw import load_raw_scan
from brainlapse.images import load_volume, save_volume
from brainlapse.preprocessing.bias import estimate_log_field, remove_field, remove_offset
from brainlapse.preprocessing.settings import BiasSettings
from brainlapse.rejection import run_stage


def main(snakemake) -> None:
    """Write the corrected head on the scan's own grid."""
    runtime.start(snakemake)
    settings = BiasSettings.model_validate(snakemake.params.settings)

    def correct_bias() -> None:
        volume, affine = load_raw_scan(snakemake.params.path, snakemake.params.scan)
        volume = remove_offset(volume)
        mask, _ = load_volume(snakemake.input.mask, volume.shape)
        log_field = estimate_log_field(volume, mask > 0, affine, settings)
        save_volume(snakemake.output.corrected, remove_field(volume, log_field), affine)

    run_stage("correct_bias", snakemake.input, snakemake.output, correct_bias)


main(snakemake)
