"""Mix scans: their latents, decoded, and their voxels."""

from pathlib import Path

from brainlapse import runtime
from brainlapse.aging import decoding, forecast
from brainlapse.aging.plan import VOXELS, plan_interpolations
from brainlapse.aging.settings import AgingSettings
from brainlapse.latents import read_blocks
from brainlapse.space import SpaceSettings, mni_grid
from brainlapse.training.devices.device import choose_device
from brainlapse.training.encoding.passes import decode_latents, load_model
from brainlapse.training.settings import EncodingSettings


def main(snakemake) -> None:
    """Unpack the job, interpolate, decode, write the images and the table."""
    runtime.start(snakemake)
    settings = AgingSettings.model_validate(snakemake.params.settings)
    params = snakemake.params
    folders = [Path(path).parent for path in snakemake.input.latents]
    mean, index = read_blocks(folders)
    plan = plan_interpolations(index, settings)
    if plan.empty:
        runtime.log.info("Nobody to interpolate: no held-out subject has two scans")
    passes = EncodingSettings.model_validate(params.decoding)
    decoded = iter(())
    if len(plan):
        latents = forecast.interpolated_latents(plan[plan["method"] != VOXELS], mean, index)
        model, device = load_model(Path(snakemake.input.weights).parent), choose_device()
        decoded = decode_latents(model, latents, passes, device)
    grid = mni_grid(SpaceSettings.model_validate(params.space))
    images = decoding.mixed_images(plan, decoded, params.preprocessed)
    masks = decoding.seen_masks(plan, decoding.ENDS, params.preprocessed)
    written = decoding.write_images(plan, images, masks, snakemake.output.folder, grid.affine)
    for _ in runtime.progress(written, "interpolation", len(plan)):
        pass
    table = decoding.with_folder(plan, params.folder_name)
    runtime.write_table(snakemake.output.interpolations, table)


main(snakemake)
