"""Put the tables of all blocks of forecast images together, and summarise them."""

import pandas as pd

from brainlapse import runtime
from brainlapse.aging.evaluation.images import IMAGE_ERROR_COLUMNS, summarise_images


def main(snakemake) -> None:
    """Unpack, gather, summarise, write."""
    runtime.start(snakemake)
    tables = [runtime.read_table(path, IMAGE_ERROR_COLUMNS) for path in snakemake.input.tables]
    empty = pd.DataFrame(columns=IMAGE_ERROR_COLUMNS)
    errors = pd.concat([table.astype(object) for table in tables]) if tables else empty
    errors = errors.infer_objects().reset_index(drop=True)
    runtime.write_table(snakemake.output.errors, errors)
    runtime.write_table(snakemake.output.summary, summarise_images(errors))


main(snakemake)
