"""Plans of forecasts and interpolations, and the images they are compared with."""

import functools

from brainlapse.aging.plan import compared_scans
from brainlapse.aging.plan import interpolated_scans
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


def forecast_brains(wildcards):
    """Brains that forecasts are compared with: targets and last scans seen."""
    paths = compared_scans(plan_with(plan_forecasts))
    return [results(f"preprocess/{path}{BRAIN}") for path in paths]


def forecast_masks(wildcards):
    """Masks of the brains that forecasts are compared with."""
    paths = compared_scans(plan_with(plan_forecasts))
    return [results(f"preprocess/{path}{BRAIN_MASK}") for path in paths]


def interpolation_images(wildcards):
    """Brains and masks of the scans that are interpolated between."""
    paths = interpolated_scans(plan_with(plan_interpolations))
    suffixes = (BRAIN, BRAIN_MASK)
    return [
        results(f"preprocess/{path}{suffix}") for path in paths for suffix in suffixes
    ]
