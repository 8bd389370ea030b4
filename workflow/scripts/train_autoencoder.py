"""Train one autoencoder on the training scans; validation scans select its weights."""

from brainlapse import provenance, runtime
from brainlapse.space import SpaceSettings
from brainlapse.training import job
from brainlapse.training.devices import launch
from brainlapse.training.devices.device import choose_device
from brainlapse.training.model import trained as model
from brainlapse.training.model.precision import resolve_precision
from brainlapse.training.report import history_table, model_card
from brainlapse.training.settings import AutoencoderSettings

LABELS = ["dataset", "scan", "task", "task_kind", "label", "coded"]


def main(snakemake) -> None:
    """Unpack the job, train or resume, write the model; the resume state goes last."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, output = snakemake.params, snakemake.output
    settings = AutoencoderSettings.model_validate(params.settings)
    device, training = choose_device(), settings.training
    devices = 1 if settings.network.family == "pca" else training.devices
    share = training.batch_size // training.nodes
    work = job.Job(
        model=snakemake.wildcards.model,
        settings=params.settings,
        space=SpaceSettings.model_validate(params.space).model_dump(mode="json"),
        selection=[list(row) for row in params.scans],
        code={**params.code, **params.optional_code},
        seed=params.seed,
        root=params.resume,
        precision=resolve_precision(training.precision, device),
        nodes=training.nodes,
        per_node=launch.count_processes(devices, share, device),
        device=device.type,
        threads=snakemake.threads,
        board=snakemake.log[0].removesuffix(".log") + ".tensorboard",
        labels=[
            row
            for path in snakemake.input.labels
            for row in runtime.read_table(path, LABELS)[LABELS].values.tolist()
        ],
    )
    resume = work.resume_folder(settings)
    with launch.all_processes(work, resume.path, device) as processes:
        state = job.train_job(work, resume, processes, device)
    contract = runtime.read_json(snakemake.input.contract)
    space = SpaceSettings.model_validate(params.space)
    card = model_card(state, settings, space, contract, params.seed, work.precision)
    model.save_weights(output.weights, state.best.weights)
    runtime.write_table(output.history, history_table(state))
    model.save_card(output.card, {**card, "versions": provenance.versions()})
    resume.finish()


main(snakemake)
