"""Images of forecasts that no autoencoder decodes: lines of voxels, warped scans, other tools'.

All see what a forecast may see: the person's scans so far, and the mask of the last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brainlapse.aging.methods import subject_ols
from brainlapse.aging.methods.interface import FitSettings
from brainlapse.aging.people import Person
from brainlapse.aging.plan import DECODED, VOXEL_LINEAR, WARPED, external_file
from brainlapse.aging.settings import AgingSettings
from brainlapse.aging.warping import warp_scan
from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, scan_path
from brainlapse.images import load_scan, load_volume
from brainlapse.preprocessing.orientation import to_canonical
from brainlapse.preprocessing.registration.transforms import read_world_transform
from brainlapse.preprocessing.resampling import resample_inside
from brainlapse.preprocessing.settings import IntensitySettings, ResamplingSettings
from brainlapse.rejection import ScanRejected
from brainlapse.space import Grid


@dataclass(frozen=True)
class Elsewhere:
    """Where such images come from, and how they are brought to the contract of our brains.

    Attributes
    ----------
    preprocessed
        Folder of the preprocessed scans.
    scans
        Index of the latents: dataset, subject, session, scan and age_years.
    transforms
        Scan path of a last scan seen -> file of its transform from the template, for forecasts in
        native space.
    """

    settings: AgingSettings
    preprocessed: str | Path
    scans: pd.DataFrame
    grid: Grid
    resampling: ResamplingSettings
    intensity: IntensitySettings
    transforms: Mapping[str, str]

    def image(self, row: dict) -> np.ndarray:
        """Return the image (D, H, W), values 0 to 1, of a row of the plan of forecasts."""
        return self._voxel_line(row) if row["method"] == VOXEL_LINEAR else self._external(row)

    def warp(self, row: dict, rebuilt: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        """Warp the last scan seen as its reconstruction (D, H, W) would become the forecast."""
        brain, mask = self._last(row)
        return warp_scan(brain, rebuilt, forecast, mask, float(abs(self.grid.affine[0, 0])))

    def _last(self, row: dict) -> tuple[np.ndarray, np.ndarray]:
        """Return brain and mask of the last scan seen, (D, H, W) each."""
        path = scan_path(row["dataset"], row["subject"], row["last_session"])
        brain, _ = load_volume(f"{self.preprocessed}/{path}{BRAIN}")
        mask, _ = load_volume(f"{self.preprocessed}/{path}{BRAIN_MASK}")
        return brain, mask > 0

    def _voxel_line(self, row: dict) -> np.ndarray:
        seen = self.scans[self.scans["dataset"] == row["dataset"]].set_index("scan")
        seen = seen.loc[row["seen_scans"].split(",")]
        paths = [scan_path(row["dataset"], row["subject"], name) for name in seen["session"]]
        brains = [load_volume(f"{self.preprocessed}/{path}{BRAIN}")[0] for path in paths]
        ages = seen["age_years"].to_numpy(dtype=float)
        person = Person(ages, np.stack([brain.ravel() for brain in brains]))
        line = subject_ols.fit([], FitSettings())
        found = line.forecast(person, np.array([float(row["target_age_years"])])).centre
        return np.clip(found.reshape(self.grid.shape), 0, 1).astype(np.float32)

    def _external(self, row: dict) -> np.ndarray:
        """Bring another tool's forecast to the grid, and to the scale of the last scan seen.

        Raises
        ------
        ScanRejected
            If the file can't be read, or shows no contrast where the last scan's brain is.
        """
        last = scan_path(row["dataset"], row["subject"], row["last_session"])
        brain, mask = self._last(row)
        file = external_file(row, self.settings)
        volume, affine = load_scan(file)
        native = self.settings.external[row["method"]].space == "native"
        transform = read_world_transform(self.transforms[last]) if native else np.eye(4)
        turned, affine = to_canonical(volume, affine)
        volume = resample_inside(turned, affine, self.grid, transform, mask, self.resampling)
        try:
            return match_intensities(volume, brain, mask, self.intensity)
        except ScanRejected as error:
            message = f"{file}: {error}"
            raise ScanRejected(message) from None


def match_intensities(
    volume: np.ndarray, like: np.ndarray, mask: np.ndarray, settings: IntensitySettings
) -> np.ndarray:
    """Shift and scale an image so that two percentiles inside a mask are those of another.

    Parameters
    ----------
    volume, like
        (D, H, W); `like` with values 0 to 1.
    mask
        bool (D, H, W).
    settings
        Which percentiles.

    Raises
    ------
    ScanRejected
        If the image has no contrast.
    """
    ends = (settings.lower_percentile, settings.upper_percentile)
    low, high = np.percentile(volume[mask].astype(np.float64), ends)
    wanted = np.percentile(like[mask].astype(np.float64), ends)
    if not high > low:
        message = f"Expected contrast inside the brain, found all intensities near {low:g}."
        raise ScanRejected(message)
    scaled = wanted[0] + (volume - low) * (wanted[1] - wanted[0]) / (high - low)
    return np.where(mask, np.clip(scaled, 0, 1), 0).astype(np.float32)


def forecast_images(
    plan: pd.DataFrame, decoded: Iterator[np.ndarray], elsewhere: Elsewhere
) -> Iterator[np.ndarray]:
    """Yield for each row of the plan the next decoded image, or one that is not decoded.

    Parameters
    ----------
    plan
        From `plan_forecasts`.
    decoded
        (D, H, W), of the codes that `forecast_codes` lists.
    """
    for row in plan.to_dict("records"):
        if row["method"] in DECODED:
            yield next(decoded)
        elif row["method"].endswith(WARPED):
            rebuilt, forecast = next(decoded), next(decoded)
            yield elsewhere.warp(row, rebuilt, forecast)
        else:
            yield elsewhere.image(row)
