"""Forecast later scans of held-out subjects in latent space and decode them."""

from pathlib import Path

import pandas as pd

from brainlapse import runtime
from brainlapse.aging import decoding, forecast
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.settings import AgingSettings
from brainlapse.latents import read_latents
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, forecast, decode, write the images and the table."""
    runtime.start(snakemake)
    settings = AgingSettings.model_validate(snakemake.params.settings)
    params, folder = snakemake.params, snakemake.output.folder
    mean, _, index = read_latents(Path(snakemake.input.latents).parent)
    plan = plan_forecasts(index, settings)
    if plan.empty:
        runtime.log.info("Nobody to forecast: no held-out subject has scans at several known ages")
    latents = forecast.forecast_latents(plan, mean, index, settings)
    passes = EncodingSettings.model_validate(params.decoding)
    images = iter(())
    if len(plan):
        model, device = load_model(Path(snakemake.input.weights).parent), choose_device()
        images = decode_latents(model, latents, passes, device)
    grid = mni_grid(SpaceSettings.model_validate(params.space))
    masks = decoding.seen_masks(plan, decoding.LAST_SEEN, params.preprocessed)
    written = decoding.write_images(plan, images, masks, folder, grid.affine)
    written = runtime.progress(written, "forecast", len(plan))
    errors = [decoding.image_errors(row, image, params.preprocessed) for row, image in written]
    table = pd.concat(
        [
            decoding.with_folder(plan, params.folder_name),
            forecast.latent_errors(plan, latents, mean, index),
            pd.DataFrame(errors, columns=decoding.IMAGE_COLUMNS),
        ],
        axis="columns",
    )
    runtime.write_table(snakemake.output.predictions, table)


main(snakemake)
