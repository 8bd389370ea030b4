"""Map where the reconstructions of a block of people are worse than those of others."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.analysis.error_maps import (
    MAP_COLUMNS,
    describe_map,
    read_error,
    read_norm,
    score_errors,
)
from brainlapse.cohort.tables import SPLIT_SCAN, scan_path
from brainlapse.images import save_volume
from brainlapse.latents import reconstructed_file
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Unpack the job, map scan by scan, write the table."""
    runtime.start(snakemake)
    params, paths = snakemake.params, snakemake.input
    space = SpaceSettings.model_validate(params.space)
    grid, voxel_mm = mni_grid(space), space.voxel_mm
    norm = read_norm(paths.norm)
    records = []
    scans = zip(params.scans, paths.brains, paths.masks, strict=True)
    for scan, brain, mask in runtime.progress(scans, "maps", len(params.scans)):
        place = scan_path(scan["dataset"], scan["subject"], scan["session"])
        decoded = Path(paths.folder, reconstructed_file(place))
        scores = score_errors(read_error(brain, decoded, mask, voxel_mm), norm)
        file = f"{place}_space-MNI_desc-error_stat-z_map.nii.gz"
        save_volume(Path(snakemake.output.folder, file), scores, grid.affine)
        records.append(
            {
                **{name: scan[name] for name in SPLIT_SCAN},
                "norm_split": params.norm_split,
                "people": int(norm.people.max()),
                **describe_map(scores, grid.affine),
                "file": f"{params.folder_name}/{file}",
            }
        )
    table = pd.DataFrame(records).reindex(columns=MAP_COLUMNS)
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
