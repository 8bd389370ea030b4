"""Plans of forecasts and interpolations, and the images they see and are compared with."""

import functools

from brainlapse.aging.plan import VOXEL_LINEAR
from brainlapse.aging.plan import WARPED
from brainlapse.aging.plan import compared_scans
from brainlapse.aging.plan import external_file
from brainlapse.aging.plan import interpolated_scans
from brainlapse.aging.plan import last_seen_scans
from brainlapse.aging.plan import plan_forecasts
from brainlapse.aging.plan import plan_interpolations
from brainlapse.aging.settings import AgingSettings
from brainlapse.cohort.blocks import with_blocks
from brainlapse.cohort.tables import PERSON


@functools.cache
def planned(function, brought, *stamps):
    """Plan once per state of the two tables, and per methods that a model brings along."""
    settings = AgingSettings.model_validate(config["aging"])
    further = [brought] if function is plan_forecasts else []
    return function(join_quality(*stamps), settings, *further)


def plan_with(function, model):
    """Plan forecasts or interpolations of the usable scans."""
    return planned(function, brought_methods(model), *usable_stamps())


@functools.cache
def plans_of_blocks(function, brought, *stamps):
    """Map (dataset, block) to its rows of a plan."""
    plan = planned(function, brought, *stamps)
    blocks = with_blocks(join_quality(*stamps))[[*PERSON, "block"]].drop_duplicates()
    plan = plan.merge(blocks, on=PERSON, validate="many_to_one")
    return {key: part for key, part in plan.groupby(["dataset", "block"])}


def plan_of_block(wildcards):
    """Forecasts of a block of people."""
    brought = brought_methods(wildcards.model)
    plans = plans_of_blocks(plan_forecasts, brought, *usable_stamps())
    return plans[wildcards.dataset, wildcards.block]


def forecast_files(wildcards):
    """Files of the forecasts of a block of people, relative to their folder."""
    return plan_of_block(wildcards)["file"].tolist()


def forecast_tables(wildcards):
    """What one model forecasts, block by block."""
    return tables_of_blocks(wildcards.model, "forecasts")


def forecast_image_tables(wildcards):
    """How near the images of one model's forecasts come, block by block."""
    return tables_of_blocks(wildcards.model, "images")


def tables_of_blocks(model, name):
    """Tables of one model's forecasts, block by block."""
    blocks = decoded_files("predicted", model)
    return [results(f"aging/{model}/blocks/{d}_{b}_{name}.tsv") for d, b in blocks]


def predicted_folders(wildcards):
    """Folders of the forecasts of one model, a block of people each."""
    return predicted_folders_of(wildcards.model)


def predicted_folders_of(model):
    """The same by the model's name."""
    blocks = decoded_files("predicted", model)
    return [results(f"aging/{model}/predicted/{d}/{b}") for d, b in blocks]


def forecast_masks(wildcards):
    """Masks of the last scans that the forecasts of a block see."""
    return preprocessed_paths(last_seen_scans(plan_of_block(wildcards)), BRAIN_MASK)


def seen_brains(wildcards):
    """Brains that lines of voxels go through, or that are warped."""
    plan = plan_of_block(wildcards)
    warped = plan["method"].str.endswith(WARPED)
    plan = plan[warped | (plan["method"] == VOXEL_LINEAR)]
    seen = {scan for names in plan["seen_scans"] for scan in names.split(",")}
    scans = scans_of_block(wildcards)
    return preprocessed(scans[scans["scan"].isin(seen)], BRAIN)


def external_plan(wildcards):
    """Forecasts of a block by other tools, and by those of them in native space."""
    plan, external = plan_of_block(wildcards), config["aging"]["external"]
    native = [name for name, one in external.items() if one["space"] == "native"]
    return plan[plan["method"].isin(external)], plan[plan["method"].isin(native)]


def external_files(wildcards):
    """Images of the forecasts of other tools."""
    settings = AgingSettings.model_validate(config["aging"])
    plan, _ = external_plan(wildcards)
    return [str(external_file(row, settings)) for row in plan.to_dict("records")]


def external_natives(wildcards):
    """Last scans seen in whose native space other tools forecast."""
    _, natives = external_plan(wildcards)
    return last_seen_scans(natives)


def external_transforms(wildcards):
    """Transforms from the template to these scans, in the same order."""
    return [transform_of(path) for path in external_natives(wildcards)]


def compared_brains(wildcards):
    """Brains that the forecasts of a block are compared with: targets and last scans seen."""
    return preprocessed_paths(compared_scans(plan_of_block(wildcards)), BRAIN)


def compared_masks(wildcards):
    """Masks of the same scans."""
    return preprocessed_paths(compared_scans(plan_of_block(wildcards)), BRAIN_MASK)


def preprocessed_paths(paths, suffix):
    """Files of preprocessed scans."""
    return [results(f"preprocess/{path}{suffix}") for path in paths]


def interpolated_blocks(wildcards):
    """Blocks of the people whose scans are interpolated between."""
    paths = interpolated_scans(plan_with(plan_interpolations, wildcards.model))
    blocks = blocks_of(*usable_stamps())
    return [
        key for key, scans in blocks.items() if scans["scan_path"].isin(paths).any()
    ]


def interpolation_images(wildcards):
    """Brains and masks of the scans that are interpolated between."""
    paths = interpolated_scans(plan_with(plan_interpolations, wildcards.model))
    suffixes = (BRAIN, BRAIN_MASK)
    return [
        results(f"preprocess/{path}{suffix}") for path in paths for suffix in suffixes
    ]
