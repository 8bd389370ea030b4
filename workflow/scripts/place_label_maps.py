"""Lay label maps into MNI space the way scans are laid there."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.segmenter.anatomies import prepare_anatomy, save_anatomy
from brainlapse.segmenter.deformation import LATTICE
from brainlapse.segmenter.label_maps import find_label_maps, label_map_name


def main(snakemake) -> None:
    """Write one file per label map."""
    runtime.start(snakemake)
    folder = Path(snakemake.output.anatomies)
    paths = find_label_maps(snakemake.params.label_maps)
    for path in runtime.progress(paths, "label maps", len(paths)):
        save_anatomy(folder / f"{label_map_name(path)}.npz", prepare_anatomy(path, LATTICE))


main(snakemake)
