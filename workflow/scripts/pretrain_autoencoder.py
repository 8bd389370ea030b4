"""Train an autoencoder on synthetic brains, for others to start from."""

from brainlapse import provenance, runtime
from brainlapse.pretraining.outputs import CONTRACT, load_brains, middle_space
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.training.devices.device import choose_device
from brainlapse.training.loop import loop
from brainlapse.training.model import trained as model
from brainlapse.training.model.precision import resolve_precision
from brainlapse.training.report import history_table, model_card
from brainlapse.training.resume.checkpoint import ResumeFolder, file_states


def main(snakemake) -> None:
    """Unpack the job, train or resume, write the model; the resume state goes last."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, files, output = snakemake.params, snakemake.input, snakemake.output
    settings = PretrainingSettings.model_validate(params.settings)
    autoencoder, device = settings.autoencoder, choose_device()
    precision = resolve_precision(autoencoder.training.precision, device)
    identity = {
        "settings": settings.model_dump(mode="json"),
        "code": params.code,
        "brains": file_states([files.train, files.validation]),
        "seed": params.seed,
        "device": device.type,
        "precision": precision,
    }
    minutes = autoencoder.training.checkpoint_minutes
    resume = ResumeFolder(params.resume, "pretraining", identity, minutes)
    data = load_brains(files.train, files.validation, settings)
    state = loop.train(autoencoder, data, params.seed, resume, device, precision)
    space = middle_space(settings)
    card = model_card(state, autoencoder, space, CONTRACT, params.seed, precision)
    model.save_weights(output.weights, state.best.weights)
    runtime.write_table(output.history, history_table(state))
    model.save_card(output.card, {**card, "versions": provenance.versions()})
    resume.finish()


main(snakemake)
