"""Simulate a BIDS data set with known truth."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.simulation.dataset import write_dataset
from brainlapse.simulation.settings import SimulationSettings


def main(snakemake) -> None:
    """Write the whole data set below the rule's output directory."""
    runtime.start(snakemake)
    settings = SimulationSettings.model_validate(snakemake.params.settings)
    write_dataset(
        settings,
        seed=snakemake.params.seed + settings.seed,
        folder=Path(snakemake.output.folder),
        workers=snakemake.threads,
    )


main(snakemake)
