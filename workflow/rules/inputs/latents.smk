"""Scans that are encoded and reconstructed, and the training scans behind the mean image."""

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
