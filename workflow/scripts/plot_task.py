"""Plot the predictions of one task from one autoencoder."""

from brainlapse import runtime
from brainlapse.analysis.settings import TaskSettings
from brainlapse.figures import style, tables
from brainlapse.figures.models import tasks


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    task = TaskSettings.model_validate(snakemake.params.task)
    style.draw(
        snakemake.output.figure,
        tasks.plot_task,
        tables.read(snakemake.input.predictions, tables.TASK_PREDICTIONS),
        task.kind,
        task.target,
        task.positive,
        dots_per_inch=snakemake.params.dots_per_inch,
    )


main(snakemake)
