"""Train one autoencoder on the training scans; validation scans select its weights."""

from brainlapse import provenance, runtime
from brainlapse.space import SpaceSettings
from brainlapse.training import checkpoint, loop, model, principal
from brainlapse.training.data import load_training_data
from brainlapse.training.device import choose_device
from brainlapse.training.report import history_table, model_card
from brainlapse.training.settings import AutoencoderSettings


def main(snakemake) -> None:
    """Unpack the job, train or resume, write the model; the resume state goes last."""
    runtime.start(snakemake)
    params, output = snakemake.params, snakemake.output
    settings = AutoencoderSettings.model_validate(params.settings)
    space = SpaceSettings.model_validate(params.space)
    selection = [list(row) for row in params.scans]
    device = choose_device()
    identity = checkpoint.describe_run(
        settings.model_dump(mode="json"),
        params.code,
        selection,
        params.seed,
        space.model_dump(mode="json"),
        device.type,
    )
    minutes = settings.training.checkpoint_minutes
    resume = checkpoint.ResumeFolder(params.resume, snakemake.wildcards.model, identity, minutes)
    data = load_training_data(selection, space.shape, space.voxel_mm, resume.path)
    if settings.network.family == "pca":
        state = principal.fit(settings, data, resume)
    else:
        state = loop.train(settings, data, params.seed, resume, device)
    contract = runtime.read_json(snakemake.input.contract)
    card = model_card(state, settings, space, contract, params.seed)
    model.save_weights(output.weights, state.best.weights)
    runtime.write_table(output.history, history_table(state))
    model.save_card(output.card, {**card, "versions": provenance.versions()})
    resume.remove()


main(snakemake)
