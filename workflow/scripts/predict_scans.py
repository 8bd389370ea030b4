"""Forecast the scans that someone asks for, in MNI space and in the person's own."""

from pathlib import Path

import numpy as np

from brainlapse import runtime
from brainlapse.aging import decoding, forecast
from brainlapse.aging.rates import read_rates
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.tables import scan_path
from brainlapse.images import load_volume, resample_to_grid, save_volume
from brainlapse.latents import read_latents
from brainlapse.prediction.requests import plan_requests, read_requests
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.space import Grid, SpaceSettings, mni_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, plan, forecast, decode, write the images and both tables."""
    runtime.start(snakemake)
    inputs, output, params = snakemake.input, snakemake.output, snakemake.params
    mean, index = read_latents(Path(inputs.latents).parent)
    settings = AgingSettings.model_validate(params.settings)
    rates = read_rates([inputs.rates], settings.anchor)
    asked = read_requests(inputs.requests)
    plan, refused = plan_requests(asked, index, settings, tuple(rates.latents))
    for row in refused.to_dict("records"):
        runtime.log.warning("not forecast: %s at %s: %s", *list(row.values())[1:])
    latents = forecast.forecast_latents(plan, mean, index, settings, rates)
    images = iter(())
    if len(plan):
        model, device = load_model(Path(inputs.weights).parent), choose_device()
        passes = EncodingSettings.model_validate(params.decoding)
        images = decode_latents(model, latents, passes, device)
    grid = mni_grid(SpaceSettings.model_validate(params.space))
    masks = decoding.seen_masks(plan, decoding.LAST_SEEN, params.preprocessed)
    written = decoding.write_images(plan, images, masks, output.folder, grid.affine)
    natives = dict(
        zip(params.natives, zip(inputs.native_masks, inputs.transforms, strict=True), strict=True)
    )
    ends = plan[["dataset", "subject", "last_session"]].itertuples(index=False, name=None)
    lasts = [scan_path(*end) for end in ends]
    written = zip(lasts, written, strict=True)
    for last, (row, image) in runtime.progress(written, "prediction", len(plan)):
        if last in natives:
            native = to_native(image, grid, *natives[last])
            save_volume(Path(output.folder, row["native_file"]), *native, dtype=np.float32)
    plan["native_file"] = plan["native_file"].where([last in natives for last in lasts])
    runtime.write_table(output.predictions, plan)
    runtime.write_table(output.refused, refused)


def to_native(
    image: np.ndarray, grid: Grid, mask: str, transform: str
) -> tuple[np.ndarray, np.ndarray]:
    """Bring an image on the MNI grid to the raw grid of the person's last scan; with its affine."""
    volume, affine = load_volume(mask)
    x, y, z = volume.shape
    to_template = np.linalg.inv(read_world_transform(transform))
    return resample_to_grid(image, grid.affine, Grid((x, y, z), affine), to_template), affine


main(snakemake)
