"""Scans that are encoded and reconstructed, and the training scans behind the mean image."""

import functools

from brainlapse.cohort.blocks import trains
from brainlapse.cohort.blocks import with_blocks
from brainlapse.cohort.tables import SPLIT_SCAN

ENCODING = {key: config["latents"][key] for key in ("batch_size", "precision")}
DECODING = {
    key: value for key, value in config["latents"].items() if key != "perceptual"
}


def usable_brains(wildcards):
    """Normalised brains that every later stage uses."""
    return preprocessed(usable_table(), BRAIN)


def usable_masks(wildcards):
    """Brain masks in MNI space."""
    return preprocessed(usable_table(), BRAIN_MASK)


def usable_selection(wildcards):
    """Rows of the usable scans; a parameter, so that a change reruns, but for their raw path."""
    return rows(usable_table().drop(columns="path"))


@functools.cache
def blocks_of(*stamps):
    """Map (dataset, block) to its usable scans."""
    scans = with_blocks(join_quality(*stamps))
    return {key: part for key, part in scans.groupby(["dataset", "block"])}


def scans_of_block(wildcards):
    """Usable scans of a block of people."""
    return blocks_of(*usable_stamps())[wildcards.dataset, wildcards.block]


def rows_of_block(wildcards):
    """Rows of the scans of a block with all that is known of them, but for their raw path."""
    scans = usable_table().loc[scans_of_block(wildcards).index]
    return rows(scans.drop(columns="path"))


def selection_of_block(wildcards):
    """Rows of the scans of a block; a parameter, so that a change reruns."""
    return rows(scans_of_block(wildcards)[SPLIT_SCAN])


def brains_of_block(wildcards):
    """Normalised brains of a block of people."""
    return preprocessed(scans_of_block(wildcards), BRAIN)


def masks_of_block(wildcards):
    """Brain masks of a block of people in MNI space."""
    return preprocessed(scans_of_block(wildcards), BRAIN_MASK)


def in_blocks(blocks, name):
    """Input function: one file of the latents of each of the blocks of people."""

    def files(wildcards):
        folder = f"latents/{wildcards.model}/blocks"
        return [results(f"{folder}/{d}/{b}/{name}") for d, b in blocks(wildcards)]

    return files


def all_blocks(wildcards):
    """Blocks of all people."""
    return list(blocks_of(*usable_stamps()))


def training_blocks(wildcards):
    """Blocks of training people."""
    return [(d, b) for d, b in all_blocks(wildcards) if trains(b)]


def folders_of(model):
    """Folders of the reconstructions by one autoencoder, a block of people each."""
    folder = f"latents/{model}/reconstructions"
    return [results(f"{folder}/{d}/{b}") for d, b in blocks_of(*usable_stamps())]


def reconstruction_folders(wildcards):
    """Folders of the reconstructions by one autoencoder."""
    return folders_of(wildcards.model)


def all_reconstruction_folders(wildcards):
    """Folders of the reconstructions by all autoencoders."""
    return [folder for model in MODELS for folder in folders_of(model)]


def reconstruction_tables(wildcards):
    """How well one autoencoder gives scans back, block by block."""
    folder = f"autoencoder/{wildcards.model}/blocks"
    return [results(f"{folder}/{d}_{b}.tsv") for d, b in blocks_of(*usable_stamps())]


def judged_tables(wildcards):
    """The same of the mean training scan."""
    return [
        results(f"baselines/blocks/{d}_{b}.tsv") for d, b in blocks_of(*usable_stamps())
    ]


def training_scans():
    """Scans that train the autoencoders; validation scans only select weights."""
    scans = fit_table()
    return scans[scans["split"] == "train"]


def training_brains(wildcards):
    """Brains that train the autoencoders."""
    return preprocessed(training_scans(), BRAIN)


def mean_image_table(wildcards):
    """Metrics of the mean training image; none where no scan is for training."""
    found = len(training_scans())
    return [results("baselines/mean_image.tsv")] if found else []


def mean_image_errors(wildcards):
    """Volume errors of the mean training image; none where no scan is for training."""
    found = len(training_scans())
    return [results("baselines/mean_image_volume_error.tsv")] if found else []
