"""Forecast later scans of a block of held-out people and decode them; fetch other tools'."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.aging import decoding, forecast
from brainlapse.aging.elsewhere import Elsewhere, forecast_images
from brainlapse.aging.plan import BY_MODEL, plan_forecasts
from brainlapse.aging.rates import read_rates
from brainlapse.aging.settings import AgingSettings
from brainlapse.latents import read_latents
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, forecast, decode, write the images and the table."""
    runtime.start(snakemake)
    settings = AgingSettings.model_validate(snakemake.params.settings)
    params, folder = snakemake.params, snakemake.output.folder
    mean, index = read_latents(Path(snakemake.input.latents).parent)
    rates = read_rates([snakemake.input.rates], settings.anchor)
    plan = plan_forecasts(index, settings, tuple(rates.latents))
    mine = (plan["dataset"] == snakemake.wildcards.dataset) & plan["file"].isin(params.images)
    plan = plan[mine].reset_index(drop=True)
    ours = plan[plan["method"].isin(BY_MODEL)]
    latents, codes = forecast.forecast_codes(ours, mean, index, settings, rates)
    passes = EncodingSettings.model_validate(params.decoding)
    images = iter(())
    if len(ours):
        model, device = load_model(Path(snakemake.input.weights).parent), choose_device()
        images = decode_latents(model, codes, passes, device)
    elsewhere = Elsewhere(
        settings=settings,
        preprocessed=params.preprocessed,
        scans=index,
        grid=mni_grid(SpaceSettings.model_validate(params.space)),
        resampling=ResamplingSettings.model_validate(params.resampling),
        intensity=IntensitySettings.model_validate(params.intensity),
        transforms=dict(zip(params.natives, snakemake.input.transforms, strict=True)),
    )
    images = forecast_images(plan, images, elsewhere)
    masks = decoding.seen_masks(plan, decoding.LAST_SEEN, params.preprocessed)
    written = decoding.write_images(plan, images, masks, folder, elsewhere.grid.affine)
    for _ in runtime.progress(written, "forecast", len(plan)):
        pass
    errors = forecast.latent_errors(ours, latents, mean, index)
    table = decoding.with_folder(plan, params.folder_name).join(errors)
    runtime.write_table(snakemake.output.table, table)


main(snakemake)
