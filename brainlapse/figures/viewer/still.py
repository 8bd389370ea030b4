"""The still picture of a person: what the page shows where nothing moves, and in print."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from brainlapse.figures import slices
from brainlapse.figures.viewer.people import Frame, Person

PIXEL_MM = 1.0
QUALITY = 85  # of the JPEG


def strip(
    person: Person,
    volumes: dict[Path, np.ndarray],
    affine: np.ndarray,
    focus_mm: tuple[float, float, float],
) -> tuple[str, str]:
    """Return the picture as a ``data:`` address, and its words.

    Parameters
    ----------
    person
        Whom to show: the last scan seen, the last forecast age and the scan of that age.
    volumes
        uint8 (X, Y, Z) of every image of the person.
    affine
        Voxel to world mm of these volumes.
    focus_mm
        Where they are cut.
    """
    chosen = _chosen(person)
    rows = []
    for _, frame in chosen:
        volume = volumes[frame.image]
        index = slices.index_at(affine, volume.shape, np.asarray(focus_mm))
        rows.append(slices.strip(volume.astype(np.float32), affine, index, PIXEL_MM))
    pixels = np.clip(np.concatenate(rows, axis=0), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    words = "; ".join(f"{name} at {frame.age_years:.1f} years" for name, frame in chosen)
    return (
        f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}",
        f"{person.key}, from top to bottom: {words}.",
    )


def _chosen(person: Person) -> list[tuple[str, Frame]]:
    if not person.series:
        return [("scan", visit) for visit in person.visits[:3]]
    series = person.series[0]
    last = min(person.visits, key=lambda v: abs(v.age_years - series.start.age_years))
    end = series.frames[-1]
    true = [v for v in person.visits if abs(v.age_years - end.age_years) < 1e-6]
    return [
        ("last scan seen", last),
        (f"forecast ({series.name})", end),
        *[("true scan", visit) for visit in true],
    ]
