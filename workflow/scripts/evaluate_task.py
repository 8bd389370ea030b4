"""Evaluate one prediction task by cross-validation over subjects."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.analysis.settings import HEAD_SIZE, AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.confounds import add_head_size
from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.volumes import tabulate_volumes
from brainlapse.cohort.tables import SCAN
from brainlapse.latents import read_latents
from brainlapse.segmentation.reading import read_measured


def main(snakemake) -> None:
    """Unpack the job, evaluate, write predictions and metrics."""
    runtime.start(snakemake)
    params = snakemake.params
    task = TaskSettings.model_validate(params.task)
    settings = AnalysisSettings.model_validate(params.settings)
    mean, index = read_latents(Path(snakemake.input.latents).parent)
    if quality := snakemake.input.get("quality"):
        index = add_head_size(index, runtime.read_table(quality, [*SCAN, HEAD_SIZE]))
    tables = list(map(read_measured, snakemake.input.volumes))
    volumes = tabulate_volumes(tables, index) if tables else None
    result = evaluate_task(mean, index, task, settings, params.seed, volumes, params.taught)
    if result.predictions.empty:
        runtime.log.info("Task %s: %s", task.name, result.metrics["note"].iloc[0])
    runtime.write_table(snakemake.output.predictions, result.predictions)
    runtime.write_table(snakemake.output.metrics, result.metrics)


main(snakemake)
