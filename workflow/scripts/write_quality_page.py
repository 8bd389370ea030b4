"""Write the page on which a person goes through the scans."""

from brainlapse import runtime
from brainlapse.figures import tables
from brainlapse.figures.page import review


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    html = review.build(
        tables.read(snakemake.input.table, tables.QUALITY),
        tables.read(snakemake.input.visits, tables.VISITS),
        review.read_pictures(snakemake.input.pictures),
        snakemake.params.title,
        snakemake.params.captions.get("quality_pictures", ""),
    )
    with runtime.atomic_path(snakemake.output.page) as temporary:
        temporary.write_text(html, encoding="utf-8")


main(snakemake)
