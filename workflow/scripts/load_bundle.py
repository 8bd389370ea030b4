"""Take an autoencoder from a bundle instead of training it."""

from brainlapse import runtime
from brainlapse.aging.rates import pack_rates
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
    parts = {
        output.components: pack_components(bundle.components),
        output.rates: pack_rates(bundle.rates),
    }
    for path, content in parts.items():
        with runtime.atomic_path(path) as temporary:
            temporary.write_bytes(content)
    origin = {"name": bundle.name, "sha256": bundle.sha256}
    model.save_card(output.card, {**bundle.card, "bundle": origin})


main(snakemake)
