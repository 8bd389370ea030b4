"""Draw synthetic brains from label maps, as the chain would leave them."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.pretraining.brains import draw_brains, part_anatomies, save_brains
from brainlapse.pretraining.settings import PretrainingSettings


def main(snakemake) -> None:
    """Write the brains to train on, and those to validate on, each as one array."""
    runtime.start(snakemake)
    params, output = snakemake.params, snakemake.output
    settings = PretrainingSettings.model_validate(params.settings)
    files = sorted(Path(snakemake.input.anatomies).glob("*.npz"))
    training, validation = part_anatomies(files, params.validation)
    for path, anatomies, count in (
        (output.train, training, settings.brains),
        (output.validation, validation, settings.validation_brains),
    ):
        brains = draw_brains(anatomies, count, settings, params.seed, snakemake.threads)
        save_brains(path, runtime.progress(brains, Path(path).stem, count), settings.shape, count)


main(snakemake)
