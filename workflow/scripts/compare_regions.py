"""Measure the error of the reconstructions of a block of people in each region."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.anomaly import ERROR_COLUMNS, regional_errors
from brainlapse.cohort.tables import SPLIT_SCAN, scan_path
from brainlapse.images import load_volume
from brainlapse.latents import reconstructed_file
from brainlapse.segmentation.volumes import labels_name


def main(snakemake) -> None:
    """Unpack the job, compare scan by scan, write the table."""
    runtime.start(snakemake)
    paths = snakemake.input
    scans = [{name: scan[name] for name in SPLIT_SCAN} for scan in snakemake.params.scans]
    folders = {Path(folder).name: folder for folder in paths.labels}
    items = zip(scans, paths.brains, paths.masks, strict=True)
    records: list[dict] = []
    for scan, brain, mask in runtime.progress(items, "regions", len(scans)):
        labels = Path(folders[f"{scan['subject']}_labels"], labels_name(brain))
        if not labels.exists():  # the segmentation gave no labels of this scan
            continue
        place = scan_path(scan["dataset"], scan["subject"], scan["session"])
        volumes = (brain, Path(paths.folder, reconstructed_file(place)), mask, labels)
        volume, decoded, inside, ids = (load_volume(path)[0] for path in volumes)
        found = regional_errors(volume, decoded, inside > 0, ids)
        records += [{**scan, "region": region, "mae": error} for region, error in found.items()]
    table = pd.DataFrame(records, columns=ERROR_COLUMNS).round({"mae": 6})
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
