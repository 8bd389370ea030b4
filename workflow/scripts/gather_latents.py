"""Put the latents of all blocks of people into one file, in the order of the scans."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.latents import gather_latents, write_latents


def main(snakemake) -> None:
    """Unpack, gather, write."""
    runtime.start(snakemake)
    index, output = pd.DataFrame(snakemake.params.scans), snakemake.output
    latents = gather_latents([Path(path).parent for path in snakemake.input.latents], index)
    write_latents(output.latents, output.index, *latents, index)


main(snakemake)
