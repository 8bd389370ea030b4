"""Settings of the tasks."""


def task_settings(wildcards):
    """Settings of one task."""
    return next(task for task in config["tasks"] if task["name"] == wildcards.task)
