"""Settings of the tasks, and what a bundle knows of the latent space."""

AUDITED_TASKS = [
    {key: task[key] for key in ("name", "target", "datasets", "classes")}
    for task in config["tasks"]
]
# The norms have their own rule: their settings change nothing of the latents' analyses.
LATENT_SETTINGS = {
    key: value for key, value in config["analysis"].items() if key != "norms"
}


def task_settings(wildcards):
    """Settings of one task."""
    return next(task for task in config["tasks"] if task["name"] == wildcards.task)


def task_volumes(wildcards):
    """Volumes of the real scans, which stand beside the latents."""
    if not config["analysis"]["volumes_beside"]:
        return []
    return [
        results(f"volumes/real/{dataset}/{subject}_volumes.tsv")
        for dataset, subject in paths_of_subjects(*usable_stamps())
    ]


def bundled_components(wildcards):
    """Principal components that came with a model, for runs without training scans."""
    if not config["autoencoders"][wildcards.model]["bundle"]:
        return []
    return [results(f"autoencoder/{wildcards.model}/components.safetensors")]
