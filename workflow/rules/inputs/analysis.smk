"""Settings of the tasks, and what a bundle knows of the latent space."""

from brainlapse.analysis.settings import HEAD_SIZE

AUDITED_TASKS = [
    {key: task[key] for key in ("name", "target", "datasets", "classes")}
    for task in config["tasks"]
]
# Walks, norms and maps have their own rules: their settings change nothing of the others.
ELSEWHERE = ("umap", "error_maps", "norms")
DIRECTIONS = {
    key: value for key, value in config["analysis"].items() if key not in ELSEWHERE
}
ANALYSIS = {
    key: value
    for key, value in DIRECTIONS.items()
    if key not in ("walk_components", "walk_sd")
}

MAPPED_MODELS = MODELS if config["analysis"]["umap"] else []

# Tasks that some model has a head for: every model is judged on them, by heads on frozen latents.
HEAD_NAMES = {task["name"] for model in MODELS for task in taught_tasks(model)}
HEAD_TASKS = [task for task in config["tasks"] if task["name"] in HEAD_NAMES]
HEAD_TABLES = expand(
    results("analysis/{model}/heads.tsv"), model=MODELS if HEAD_TASKS else []
)


def taught_targets(wildcards):
    """Columns whose labels one autoencoder was trained on."""
    return sorted(task["target"] for task in taught_tasks(wildcards.model))


def task_settings(wildcards):
    """Settings of one task."""
    return next(task for task in config["tasks"] if task["name"] == wildcards.task)


def metrics_of_tasks(wildcards):
    """How well each task does from the latents of one model."""
    folder = results(f"analysis/{wildcards.model}/tasks")
    return [f"{folder}/{task}/metrics.tsv" for task in TASKS]


def task_volumes(wildcards):
    """Volumes of the real scans, which stand beside the latents."""
    if not config["analysis"]["volumes_beside"]:
        return []
    return [
        results(f"volumes/real/{dataset}/{subject}_volumes.tsv")
        for dataset, subject in paths_of_subjects(*usable_stamps())
    ]


def task_quality(wildcards):
    """Sizes of the heads, for a task that has them as a covariate."""
    wanted = HEAD_SIZE in task_settings(wildcards)["covariates"]
    return results("preprocess/qc.tsv") if wanted else []


def neighbour_map(wildcards):
    """Map of neighbours of one model, where it is wanted."""
    wanted = wildcards.model in MAPPED_MODELS
    return [results(f"analysis/{wildcards.model}/umap.tsv")] if wanted else []


def bundled_components(wildcards):
    """Principal components that came with a model, for runs without training scans."""
    if not config["autoencoders"][wildcards.model]["bundle"]:
        return []
    return [results(f"autoencoder/{wildcards.model}/components.safetensors")]
