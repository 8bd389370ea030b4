"""Judge heads on people held out: trained with an autoencoder, and on its frozen latents."""

from pathlib import Path

from safetensors.numpy import load_file

from brainlapse import runtime
from brainlapse.analysis.heads.evaluation import evaluate_heads, trained_heads
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.damage import reading
from brainlapse.latents import read_latents


def main(snakemake) -> None:
    """Unpack the job, judge, write the table."""
    runtime.start(snakemake)
    params, files = snakemake.params, snakemake.input
    tasks = [TaskSettings.model_validate(task) for task in params.tasks]
    settings = AnalysisSettings.model_validate(params.settings)
    card = runtime.read_json(files.card)
    with reading(files.weights):
        trained = trained_heads(card, load_file(files.weights) if "heads" in card else {})
    mean, index = read_latents(Path(files.latents).parent)
    table = evaluate_heads(mean, index, tasks, trained, settings, params.seed)
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
