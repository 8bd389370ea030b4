"""Plans of forecasts and interpolations, and the images they see and are compared with."""

import functools

from brainlapse.aging.plan import VOXEL_LINEAR
from brainlapse.aging.plan import compared_scans
from brainlapse.aging.plan import external_file
from brainlapse.aging.plan import interpolated_scans
from brainlapse.aging.plan import last_seen_scans
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.plan import plan_interpolations
from brainlapse.aging.settings import AgingSettings


@functools.cache
def planned(function, *stamps):
    """Plan once per state of the two tables."""
    settings = AgingSettings.model_validate(config["aging"])
    return function(join_quality(*stamps), settings)


def plan_with(function):
    """Plan forecasts or interpolations of the usable scans."""
    return planned(function, *usable_stamps())


def forecast_masks(wildcards):
    """Masks of the last scans that forecasts see."""
    return preprocessed_paths(last_seen_scans(plan_with(plan_forecasts)), BRAIN_MASK)


def line_brains(wildcards):
    """Brains that lines of voxels go through."""
    plan = plan_with(plan_forecasts)
    plan = plan[plan["method"] == VOXEL_LINEAR]
    seen = {
        (row.dataset, scan)
        for row in plan.itertuples()
        for scan in row.seen_scans.split(",")
    }
    scans = usable_table()
    wanted = [key in seen for key in zip(scans["dataset"], scans["scan"])]
    return preprocessed_paths(scans.loc[wanted, "scan_path"], BRAIN)


def external_plan():
    """Forecasts of other tools."""
    plan = plan_with(plan_forecasts)
    return plan[plan["method"].isin(config["aging"]["external"])]


def external_files(wildcards):
    """Images of the forecasts of other tools."""
    settings = AgingSettings.model_validate(config["aging"])
    plan = external_plan().to_dict("records")
    return [str(external_file(row, settings)) for row in plan]


def external_natives(wildcards):
    """Last scans seen in whose native space other tools forecast."""
    external = config["aging"]["external"]
    native = [name for name, one in external.items() if one["space"] == "native"]
    plan = external_plan()
    return last_seen_scans(plan[plan["method"].isin(native)])


def external_transforms(wildcards):
    """Transforms from the template to these scans, in the same order."""
    return [transform_of(path) for path in external_natives(wildcards)]


def plan_of_block(wildcards):
    """Forecasts of a block of people."""
    plan = plan_with(plan_forecasts)
    return plan[plan["file"].isin(forecast_files(wildcards))]


def forecast_files(wildcards):
    """Files of the forecasts of a block of people, relative to their folder."""
    blocks = files_of_blocks("predicted", *usable_stamps())
    return blocks[wildcards.dataset, wildcards.block]


def compared_brains(wildcards):
    """Brains that the forecasts of a block are compared with: targets and last scans seen."""
    return preprocessed_paths(compared_scans(plan_of_block(wildcards)), BRAIN)


def compared_masks(wildcards):
    """Masks of the same scans."""
    return preprocessed_paths(compared_scans(plan_of_block(wildcards)), BRAIN_MASK)


def forecast_image_tables(wildcards):
    """How near the images of one model's forecasts come, block by block."""
    folder = f"aging/{wildcards.model}/blocks"
    blocks = files_of_blocks("predicted", *usable_stamps())
    return [results(f"{folder}/{d}_{b}_images.tsv") for d, b in blocks]


def preprocessed_paths(paths, suffix):
    """Files of preprocessed scans."""
    return [results(f"preprocess/{path}{suffix}") for path in paths]


def interpolation_images(wildcards):
    """Brains and masks of the scans that are interpolated between."""
    paths = interpolated_scans(plan_with(plan_interpolations))
    suffixes = (BRAIN, BRAIN_MASK)
    return [
        results(f"preprocess/{path}{suffix}") for path in paths for suffix in suffixes
    ]
