"""The forecasts that someone asks for, and the scans that they start from."""

import functools

from brainlapse.aging.plan import last_seen_scans
from brainlapse.aging.settings import AgingSettings
from brainlapse.prediction.requests import BadRequests
from brainlapse.prediction.requests import plan_requests
from brainlapse.prediction.requests import read_requests

REQUESTS = config["predict"]["requests"]
PREDICTED = (
    "predictions.tsv",
    "refused.tsv",
    "volumes.tsv",
    "predictions.png",
    "viewer.html",
)


def predictions(wildcards):
    """What the target predict makes: of requests, or of the held-out scans of the cohort."""
    names = [f"predict/{{model}}/{name}" for name in PREDICTED]
    wanted = names if REQUESTS else ["aging/{model}/predictions.tsv"]
    return expand([results(name) for name in wanted], model=MODELS)


def requests_table(wildcards):
    """The table of requests, or one sentence."""
    if REQUESTS is None:
        message = "predict.requests: expected a table of subject and age_years, found none named"
        raise WorkflowError(message)
    return REQUESTS


@functools.cache
def seen_last(requests, brought, *stamps):
    """Paths of the last scans that the requested forecasts see."""
    try:
        asked = read_requests(requests)
        settings = AgingSettings.model_validate(config["aging"])
        plan, _ = plan_requests(asked, join_quality(*stamps), settings, brought)
    except BadRequests as error:
        raise WorkflowError(str(error)) from None
    return last_seen_scans(plan)


def last_seen(wildcards):
    """The same for one model and the table that the configuration names."""
    return seen_last(REQUESTS, brought_methods(wildcards.model), *usable_stamps())


def last_with_heads(wildcards):
    """Those of them whose raw heads are known: not from another tool."""
    return [path for path in last_seen(wildcards) if path.split("/")[0] not in TAKEN]


def last_brains(wildcards):
    """Brains and masks of the last scans seen."""
    return [
        results(f"preprocess/{path}{suffix}")
        for path in last_seen(wildcards)
        for suffix in (BRAIN, BRAIN_MASK)
    ]


def last_native_masks(wildcards):
    """Masks on the raw grids."""
    suffix = "_space-T1w_desc-brain_mask.nii.gz"
    return [
        results(f"preprocess/{path}{suffix}") for path in last_with_heads(wildcards)
    ]


def last_transforms(wildcards):
    """Transforms between template and raw scan, in the same order."""
    return [transform_of(path) for path in last_with_heads(wildcards)]
