"""Judge all scans, list the rejected ones, state the contract."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.cohort.tables import read_scans
from brainlapse.preprocessing.quality.collection import (
    check_files,
    describe_contract,
    list_rejected,
    read_record,
    tabulate_quality,
)
from brainlapse.preprocessing.quality.doubles import find_doubles
from brainlapse.preprocessing.quality.review import read_review
from brainlapse.preprocessing.quality.visits import judge_visits
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.space import SpaceSettings


def main(snakemake) -> None:
    """Write qc.tsv, visits.tsv, doubles.tsv, rejected.tsv and contract.json."""
    runtime.start(snakemake)
    scans = read_scans(snakemake.input.scans)
    files = list(snakemake.input.quality)
    check_files(snakemake.input.scans, scans, files, Path(snakemake.output.table).parent)
    records = list(map(read_record, files))
    settings = PreprocessSettings.model_validate(snakemake.params.settings)
    reviews = list(snakemake.input.review)  # one table or none
    review = read_review(reviews[0], scans) if reviews else {}
    visits, reasons = judge_visits(scans, records, settings.quality)
    quality = tabulate_quality(scans, records, settings.quality, review, reasons)
    space = SpaceSettings.model_validate(snakemake.params.space)
    contract = describe_contract(space, settings)
    runtime.write_table(snakemake.output.visits, visits)
    runtime.write_table(snakemake.output.doubles, find_doubles(scans, records))
    runtime.write_table(snakemake.output.rejected, list_rejected(scans, quality))
    runtime.write_json(snakemake.output.contract, contract)
    runtime.write_table(snakemake.output.table, quality)


main(snakemake)
