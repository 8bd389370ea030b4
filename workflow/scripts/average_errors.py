"""Average the errors of reconstructions over the people that others are held against."""

from brainlapse import runtime
from brainlapse.analysis.error_maps import fit_norm, read_error, write_norm
from brainlapse.space import SpaceSettings, mni_grid


def main(snakemake) -> None:
    """Unpack the job, read scan by scan, write the norm."""
    runtime.start(snakemake)
    space = SpaceSettings.model_validate(snakemake.params.space)
    grid, paths = mni_grid(space), snakemake.input
    files = list(zip(paths.brains, snakemake.params.decoded, paths.masks, strict=True))
    known = runtime.progress(files, "errors", len(files))
    errors = (read_error(*paths_of_scan, space.voxel_mm) for paths_of_scan in known)
    write_norm(snakemake.output.norm, fit_norm(errors, grid.shape), grid.affine)


main(snakemake)
