"""Regional volumes of requested forecasts: of the images, and from volumes alone with intervals."""

import pandas as pd

from brainlapse.aging.evaluation.intervals import LEVELS
from brainlapse.aging.rates import Rates
from brainlapse.aging.volumes import forecast_volumes
from brainlapse.prediction.names import IMAGE

ENDS = list(sum(LEVELS.values(), ()))
KEYS = ["dataset", "subject", "scan", "target_age_years"]
COLUMNS = [*KEYS, "region", "method", "last_observed_mm3", "predicted_mm3", *ENDS, "note"]


def tabulate_predictions(
    plan: pd.DataFrame,
    measured: pd.DataFrame,
    volumes: pd.DataFrame,
    index: pd.DataFrame,
    brought: Rates | None = None,
) -> pd.DataFrame:
    """Put the volumes that each method forecasts beside each other; those without network first.

    Parameters
    ----------
    plan
        From `plan_requests`.
    measured
        dataset, scan (of the plan), region, volume_mm3 of the decoded images and, as
        ``rebuilt_mm3``, of the reconstruction of the last scan seen.
    volumes
        volumes.tsv, whose real scans count.
    index
        Scans with split, age_years and covariates.
    brought
        Rates that came along with the model.

    Returns
    -------
    pd.DataFrame
        ``COLUMNS``, in MNI space. ``image`` is the last observed volume times the change between
        the decoded forecast and the decoded last scan, so that the autoencoder's bias cancels;
        intervals are those of `volume_bayes`.
    """
    real = volumes[volumes["kind"] == "real"]
    real_mm3 = real.set_index(["dataset", "scan", "region"])["volume_mm3"].astype(float)
    regions = pd.DataFrame({"region": sorted(real["region"].unique())})
    frame = plan.drop(columns="method").merge(regions, how="cross")
    keys = pd.MultiIndex.from_frame(frame[["dataset", "last_scan", "region"]])
    frame["last_observed_mm3"] = real_mm3.reindex(keys).to_numpy()
    frame = frame[frame["last_observed_mm3"] > 0]
    by_volumes = forecast_volumes(frame, real_mm3, index, brought)
    images = frame.merge(measured, on=["dataset", "scan", "region"], validate="one_to_one")
    change = images["volume_mm3"] / images["rebuilt_mm3"].where(images["rebuilt_mm3"] > 0)
    images = images.assign(method=IMAGE, predicted_mm3=images["last_observed_mm3"] * change)
    table = pd.concat([by_volumes, images], ignore_index=True).reindex(columns=COLUMNS)
    return table.sort_values([*KEYS, "region"], kind="stable", ignore_index=True)
