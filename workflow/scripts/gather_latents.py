"""Put the latents of all blocks of people into one file, in the order of the scans."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.latents import positions, read_blocks, write_latents


def main(snakemake) -> None:
    """Unpack, gather, write."""
    runtime.start(snakemake)
    folders = [Path(path).parent for path in snakemake.input.latents]
    mean, log_variance, gathered = read_blocks(folders)
    index = pd.DataFrame(snakemake.params.scans)
    order = positions(gathered, index["scan_path"], folders[0].parents[1])
    latents = mean[order], log_variance[order]
    write_latents(snakemake.output.latents, snakemake.output.index, *latents, index)


main(snakemake)
