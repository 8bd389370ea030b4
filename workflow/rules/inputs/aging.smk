"""Plans of forecasts and interpolations, and the images they are compared with."""

import functools

import pandas as pd

from brainlapse.aging.plan import compared_scans
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


def interpolation_masks(wildcards):
    """Masks of the scans that are interpolated between."""
    plan = plan_with(plan_interpolations)
    ends = [
        plan[["dataset", "subject", column]].set_axis(
            ["dataset", "subject", "session"], axis=1
        )
        for column in ("session_first", "session_last")
    ]
    scans = with_paths(pd.concat(ends).drop_duplicates())
    return preprocessed(scans, BRAIN_MASK)
