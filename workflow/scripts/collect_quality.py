"""Gather the quality of all scans, list the rejected ones, state the contract."""

from brainlapse import runtime
from brainlapse.cohort.tables import read_scans
from brainlapse.preprocessing.collection import describe_contract, list_rejected, tabulate_quality
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.rejection import read_rejection
from brainlapse.space import SpaceSettings


def main(snakemake) -> None:
    """Write qc.tsv, rejected.tsv and contract.json."""
    runtime.start(snakemake)
    scans = read_scans(snakemake.input.scans)
    records = [read_rejection(path) or runtime.read_json(path) for path in snakemake.input.quality]
    quality = tabulate_quality(scans, records)
    contract = describe_contract(
        SpaceSettings.model_validate(snakemake.params.space),
        PreprocessSettings.model_validate(snakemake.params.settings),
    )
    runtime.write_table(snakemake.output.rejected, list_rejected(scans, quality))
    runtime.write_json(snakemake.output.contract, contract)
    runtime.write_table(snakemake.output.table, quality)


main(snakemake)
