"""Take an autoencoder from a bundle instead of training it."""

from brainlapse import runtime
from brainlapse.analysis.pca import pack_components
from brainlapse.bundle.reading import check_example, read_bundle
from brainlapse.training.devices.device import choose_device
from brainlapse.training.model import trained as model


def main(snakemake) -> None:
    """Unpack the job, check the bundle and its example, write the model."""
    runtime.start(snakemake)
    output = snakemake.output
    bundle = read_bundle(snakemake.params.bundle)
    difference = check_example(bundle, choose_device())
    runtime.log.info("the example's latent comes out again (%.1e of its deviation)", difference)
    model.save_weights(output.weights, bundle.weights)
    runtime.write_table(output.history, bundle.history)
    with runtime.atomic_path(output.components) as temporary:
        temporary.write_bytes(pack_components(bundle.components))
    origin = {"name": bundle.name, "sha256": bundle.sha256}
    model.save_card(output.card, {**bundle.card, "bundle": origin})


main(snakemake)
