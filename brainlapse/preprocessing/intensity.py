"""Bring the intensities of every scan to one scale, whatever the scanner's gain and offset."""

import numpy as np
from scipy import ndimage, signal

from brainlapse.preprocessing.settings import IntensitySettings
from brainlapse.rejection import ScanRejected
from brainlapse.runtime import log

SURE_WHITE = 0.9  # template probability above which a voxel stands for white matter
FEWEST_WHITE = 500  # voxels: fewer, on very coarse grids, make no histogram
PEAK_BINS = 256
PEAK_SMOOTHING_BINS = 4.0
PEAK_PROMINENCE = 0.02  # of the highest peak: what stands out less is noise
PEAK_TOP_PERCENTILE = 99.5  # vessels and remains of fat are brighter still
BRIGHT_PERCENTILE = 60.0


def normalise(
    volume: np.ndarray,
    mask: np.ndarray,
    settings: IntensitySettings,
    anchors: tuple[float, float] | None = None,
) -> np.ndarray:
    """Scale a stripped volume to 0..1 by two anchors, by default those found inside the mask.

    ``y = clip(upper_level * (x - low) / (high - low), 0, 1)``, where `low` is the lower
    percentile inside the mask and `high` the upper percentile or the white-matter peak. Both
    follow gain and offset, so the result depends on neither.

    Parameters
    ----------
    volume
        (X, Y, Z) intensities.
    mask
        bool (X, Y, Z), the brain.
    anchors
        `low` and `high` of another image that this one shares its scale with.

    Returns
    -------
    numpy.ndarray
        float32 (X, Y, Z), 0..1, exactly 0 outside the mask.

    Raises
    ------
    ScanRejected
        If the brain has no contrast.
    """
    low, high = anchors or find_anchors(volume[mask], settings)
    if not high > low:
        message = (
            f"Expected contrast inside the brain, found all intensities near {low:g}; "
            "look at the scan."
        )
        raise ScanRejected(message)
    scaled = settings.upper_level * (volume.astype(np.float64) - low) / (high - low)
    return np.where(mask, np.clip(scaled, 0, 1), 0).astype(np.float32)


def find_anchors(
    values: np.ndarray, settings: IntensitySettings, white: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the intensities that become 0 and `upper_level`.

    Parameters
    ----------
    values
        Of the brain (N,).
    white
        Probability (N,) with which the template has white matter there. Where it surely has, the
        peak of the white matter stands alone; in the whole brain, where the contrast is low, it
        drowns in that of the grey matter. None: the whole brain is looked at.
    """
    values = values.astype(np.float64)
    percentiles = (settings.lower_percentile, settings.upper_percentile)
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if settings.method == "white_matter" and high > low:
        top = float(np.percentile(values, PEAK_TOP_PERCENTILE))
        least = float(np.percentile(values, BRIGHT_PERCENTILE))
        sure = values if white is None else values[white > SURE_WHITE]
        if len(sure) < FEWEST_WHITE:
            sure = values
        high = white_matter_peak(sure, low, top, least)
    return low, high


def white_matter_peak(values: np.ndarray, low: float, high: float, least: float) -> float:
    """Return the highest peak of the histogram of values (N,) above `least`.

    In a T1-weighted brain white matter is the brightest tissue and about a third of the volume
    inside the skull, so its peak lies among the brightest 40 %, and that of the grey matter below.
    The flank of the grey matter's, which on coarse voxels may be higher, is no peak. Without any
    peak, it is `high`.
    """
    counts, edges = np.histogram(values, bins=PEAK_BINS, range=(low, high))
    smooth = ndimage.gaussian_filter1d(counts.astype(float), PEAK_SMOOTHING_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    peaks = signal.find_peaks(smooth, prominence=PEAK_PROMINENCE * smooth.max())[0]
    peaks = peaks[centres[peaks] > least]
    if not peaks.size:
        log.warning("no peak of white matter: the brightest values take its place")
        return high
    return float(centres[peaks[np.argmax(smooth[peaks])]])
