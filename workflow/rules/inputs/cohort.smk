"""Raw files of the data sets, and settings of the simulated ones."""

from brainlapse.cohort.folders.state import dataset_state

SIMULATED = [
    name for name, dataset in config["datasets"].items() if dataset["simulate"]
]


def simulation_settings(wildcards):
    """Settings of one simulated data set."""
    return config["datasets"][wildcards.dataset]["simulate"]


def raw_state(wildcards):
    """Digest of the files of each data set: new if one was added, removed or touched.

    The raw files are no inputs: one that cannot be read, or is dated tomorrow, would stop
    Snakemake, and a copy with new time stamps would run everything again.
    """
    return {
        name: dataset_state(dataset["bids"])
        for name, dataset in config["datasets"].items()
        if dataset["bids"]
    }
