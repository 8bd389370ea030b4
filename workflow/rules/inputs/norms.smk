"""Errors of reconstructions by region, and whose are mapped voxel by voxel against whose."""

import functools

from brainlapse.analysis.error_maps import choose_mapped, choose_reference
from brainlapse.latents import reconstructed_file

ERROR_MAPS = expand(
    results("analysis/{model}/error_maps.tsv"),
    model=MODELS if config["analysis"]["error_maps"] else [],
)


def labels_of_block(wildcards):
    """Folders with the label maps of the people of a block."""
    people = scans_of_block(wildcards)[["dataset", "subject"]].drop_duplicates()
    return [
        results(f"volumes/real/{dataset}/{subject}_labels")
        for dataset, subject in people.itertuples(index=False, name=None)
    ]


def regional_error_tables(wildcards):
    """Regional errors of the reconstructions by one autoencoder, block by block."""
    folder = f"analysis/{wildcards.model}/blocks"
    return [results(f"{folder}/{d}_{b}.tsv") for d, b in blocks_of(*usable_stamps())]


@functools.cache
def reference_scans(*stamps):
    """Scans, one of each person, whose errors others are held against, with their blocks."""
    return choose_reference(with_blocks(join_quality(*stamps)))


@functools.cache
def mapped_blocks(*stamps):
    """Map (dataset, block) to the scans whose errors are mapped."""
    scans = choose_mapped(with_blocks(join_quality(*stamps)), reference_scans(*stamps))
    return {key: part for key, part in scans.groupby(["dataset", "block"])}


def mapped_scans(wildcards):
    """Scans of a block whose errors are mapped."""
    return mapped_blocks(*usable_stamps())[wildcards.dataset, wildcards.block]


def mapped_brains(wildcards):
    """Normalised brains of these."""
    return preprocessed(mapped_scans(wildcards), BRAIN)


def mapped_masks(wildcards):
    """Brain masks of these in MNI space."""
    return preprocessed(mapped_scans(wildcards), BRAIN_MASK)


def mapped_selection(wildcards):
    """Rows of these; a parameter, so that a change reruns."""
    return rows(mapped_scans(wildcards)[SPLIT_SCAN])


def norm_split(wildcards):
    """Split of the people that others are held against."""
    return reference_scans(*usable_stamps())["split"].iloc[0]


def reference_brains(wildcards):
    """Normalised brains of theirs."""
    return preprocessed(reference_scans(*usable_stamps()), BRAIN)


def reference_masks(wildcards):
    """Their brain masks in MNI space."""
    return preprocessed(reference_scans(*usable_stamps()), BRAIN_MASK)


def error_map_tables(wildcards):
    """What the maps of one autoencoder hold, block by block."""
    folder = f"analysis/{wildcards.model}/map_blocks"
    return [
        results(f"{folder}/{d}_{b}.tsv") for d, b in mapped_blocks(*usable_stamps())
    ]


def reference_folders(wildcards):
    """Folders of the reconstructions that make the norm of errors."""
    blocks = reference_scans(*usable_stamps())[["dataset", "block"]].drop_duplicates()
    folder = f"latents/{wildcards.model}/reconstructions"
    return [
        results(f"{folder}/{d}/{b}")
        for d, b in blocks.itertuples(index=False, name=None)
    ]


def reference_reconstructions(wildcards):
    """Reconstructions that make the norm of errors."""
    scans = reference_scans(*usable_stamps())
    places = scans[["dataset", "block", "scan_path"]].itertuples(index=False, name=None)
    folder = f"latents/{wildcards.model}/reconstructions"
    return [
        results(f"{folder}/{d}/{b}/{reconstructed_file(path)}") for d, b, path in places
    ]
