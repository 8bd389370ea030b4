"""Put the tables of all blocks of people under each other, in the order of the scans."""

from brainlapse import runtime
from brainlapse.cohort.blocks import gather_blocks
from brainlapse.cohort.tables import SCAN
from brainlapse.latents import read_index


def main(snakemake) -> None:
    """Unpack, gather, write."""
    runtime.start(snakemake)
    index = read_index(snakemake.input.index)
    tables = [runtime.read_table(path, SCAN) for path in snakemake.input.tables]
    runtime.write_table(snakemake.output.table, gather_blocks(tables, index))


main(snakemake)
