"""Settings of the tasks, and what a bundle knows of the latent space."""

AUDITED_TASKS = [
    {key: task[key] for key in ("name", "target", "datasets", "classes")}
    for task in config["tasks"]
]


def task_settings(wildcards):
    """Settings of one task."""
    return next(task for task in config["tasks"] if task["name"] == wildcards.task)


def bundled_components(wildcards):
    """Principal components that came with a model, for runs without training scans."""
    if not config["autoencoders"][wildcards.model]["bundle"]:
        return []
    return [results(f"autoencoder/{wildcards.model}/components.safetensors")]
