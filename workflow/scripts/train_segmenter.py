"""Train the embedded segmenter on images synthesised from label maps."""

from pathlib import Path

from brainlapse import provenance, runtime
from brainlapse.segmenter.anatomies import read_anatomy, split_anatomies
from brainlapse.segmenter.loop import train_segmenter
from brainlapse.segmenter.outputs import history_table, save_segmenter
from brainlapse.segmenter.settings import SegmenterSettings
from brainlapse.training.devices.device import choose_device
from brainlapse.training.resume.checkpoint import ResumeFolder, file_states


def main(snakemake) -> None:
    """Unpack the job, train or resume, write the network; the resume state goes last."""
    runtime.start(snakemake)
    runtime.keep_memory()
    params, output = snakemake.params, snakemake.output
    settings = SegmenterSettings.model_validate(params.settings)
    files = sorted(Path(snakemake.input.anatomies).glob("*.npz"))
    training, validation = split_anatomies(map(read_anatomy, files), settings.validation)
    device = choose_device()
    identity = {
        "settings": settings.model_dump(mode="json"),
        "code": params.code,
        "label maps": file_states([str(path) for path in files]),
        "seed": params.seed,
        "device": device.type,
    }
    resume = ResumeFolder(params.resume, "segmenter", identity, settings.checkpoint_minutes)
    workers = max(1, snakemake.threads // 2)
    state = train_segmenter(training, validation, settings, params.seed, resume, device, workers)
    save_segmenter(output.weights, state)
    runtime.write_table(output.history, history_table(state))
    card = {**identity, "versions": provenance.versions(), "seconds": round(state.seconds)}
    runtime.write_json(output.card, card)
    resume.finish()


main(snakemake)
