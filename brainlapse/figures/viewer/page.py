"""The pages of the viewer: each one file that needs no other and no network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from brainlapse import runtime
from brainlapse.figures import style
from brainlapse.figures.viewer import still
from brainlapse.figures.viewer.people import Frame, Person
from brainlapse.figures.viewer.volumes import Crop, box_of, embed, to_bytes
from brainlapse.images import load_canonical
from brainlapse.segmentation.labels import GROUPS

HERE = Path(__file__).parent
SCRIPTS = ("volumes.js", "curves.js", "viewer.js")
PARTS = (  # what the segmentation is shown in: name, labels, colour
    ("ventricles", GROUPS["ventricles"], style.BLUE),
    ("hippocampus", GROUPS["hippocampus"], style.VERMILION),
    ("grey matter", GROUPS["grey_matter"] - GROUPS["hippocampus"], style.ORANGE),
    ("white matter", GROUPS["white_matter"], style.SKY),
    ("other fluid", GROUPS["csf"] - GROUPS["ventricles"], style.GREEN),
)
MOST_COARSENING = 4
FURTHER = "viewer"  # folder of the second page and those after it
NOBODY = (
    "Nobody to show: no subject of the splits test or apply has a scan of known age. "
    "The report lists the cohort."
)


@dataclass(frozen=True)
class Packed:
    """One person as the page carries him: description and volumes by name."""

    person: Person
    content: dict[str, Any]
    volumes: dict[str, str]

    @property
    def size(self) -> int:
        """Characters."""
        return sum(map(len, self.volumes.values())) + len(json.dumps(self.content))


@dataclass(frozen=True)
class Look:
    """Title, autoencoder, voxel of the grid [mm] and where the cross hair starts [mm, RAS].

    ``nobody`` is what a page without people says.
    """

    title: str
    model: str
    voxel_mm: float
    focus_mm: tuple[float, float, float]
    nobody: str = NOBODY

    def caption(self, coarsening: int) -> str:
        """Say what the pictures are, and what they lost on the way into the page."""
        size = f"{self.voxel_mm * coarsening:g} mm"
        lost = f", averaged from {self.voxel_mm:g} mm to fit the page" if coarsening > 1 else ""
        return (
            f"Brains in MNI space, 8 bit, voxels of {size}{lost}. Forecasts and reconstructions "
            f"were decoded by the autoencoder {self.model} and are smoother than scans."
        )


def build_pages(people: list[Person], look: Look, page_mb: float) -> dict[str, str]:
    """Return the pages by file name: ``viewer.html``, then ``viewer/2.html`` and so on."""
    room = page_mb * 1e6 - _fixed_size()
    if not people:
        return {"viewer.html": _template().render(title=look.title, people=[], nobody=look.nobody)}
    crop, affine = _crop(people)
    packed = [pack(person, crop, affine, look) for person in people]
    while max(p.size for p in packed) > room and crop.coarsening < MOST_COARSENING:
        crop = Crop(crop.first, crop.last, crop.coarsening + 1)
        packed = [pack(person, crop, affine, look) for person in people]
    groups = share_out(packed, room)
    names = ["viewer.html", *[f"{FURTHER}/{n}.html" for n in range(2, len(groups) + 1)]]
    index = list(zip(names, groups, strict=True))
    grid = {
        "shape": crop.shape,
        "voxel_mm": float(np.linalg.norm(crop.affine(affine)[:3, 0])),
        "affine": crop.affine(affine).ravel().tolist(),
        "focus_mm": look.focus_mm,
    }
    common = {"title": look.title, "caption": look.caption(crop.coarsening)}
    return {name: _render(group, common, grid, index, n) for n, (name, group) in enumerate(index)}


def write_pages(pages: dict[str, str], first: Path) -> None:
    """Write the pages: the first one's folder, and in it ``viewer/``, empty if one page does."""
    (first.parent / FURTHER).mkdir(parents=True, exist_ok=True)
    for name, html in pages.items():
        with runtime.atomic_path(first.parent / name) as temporary:
            temporary.write_text(html, encoding="utf-8")


def share_out(packed: list[Packed], room: float) -> list[list[Packed]]:
    """Return people page by page, in order; a person beyond the room has a page alone."""
    groups: list[list[Packed]] = [[]]
    used = 0
    for one in packed:
        if groups[-1] and used + one.size > room:
            groups.append([])
            used = 0
        groups[-1].append(one)
        used += one.size
    return groups


def pack(person: Person, crop: Crop, affine: np.ndarray, look: Look) -> Packed:
    """Read a person's images and return what the page carries."""
    volumes: dict[str, str] = {}
    names: dict[Path, str] = {}
    shown: dict[Path, np.ndarray] = {}

    def scan(frame: Frame) -> str:
        if frame.image not in names:
            names[frame.image] = f"{person.key}/{len(names)}"
            shown[frame.image] = to_bytes(crop.cut(load_canonical(frame.image)[0]))
            volumes[names[frame.image]] = embed(shown[frame.image])
        return names[frame.image]

    def parts(frame: Frame) -> str | None:
        if frame.labels is None or not frame.labels.is_file():
            return None
        name = f"{person.key}/{frame.scan}/labels"
        volumes[name] = embed(_to_parts(crop.pick(load_canonical(frame.labels)[0])))
        return name

    content = {
        "id": person.key,
        "facts": person.facts,
        "visits": [
            {"age": f.age_years, "scan": f.scan, "volume": scan(f), "labels": parts(f)}
            for f in person.visits
        ],
        "series": [
            {
                "name": series.name,
                "start": {"age": series.start.age_years, "volume": scan(series.start)},
                "frames": [{"age": f.age_years, "volume": scan(f)} for f in series.frames],
            }
            for series in person.series
        ],
        "curves": {
            style.label(region): {
                "real": points,
                "series": [series.volumes.get(region, []) for series in person.series],
            }
            for region, points in person.measured.items()
        },
    }
    picture, words = still.strip(person, shown, crop.affine(affine), look.focus_mm)
    return Packed(person, {**content, "strip": picture, "strip_alt": words}, volumes)


def _to_parts(labels: np.ndarray) -> np.ndarray:
    parts = np.zeros(labels.shape, np.uint8)
    for number, (_, members, _) in enumerate(PARTS, start=1):
        parts[np.isin(labels, list(members))] = number
    return parts


def _crop(people: list[Person]) -> tuple[Crop, np.ndarray]:
    masks, affine = [], np.eye(4)
    for path in (path for person in people for path in person.masks):
        mask, affine = load_canonical(path)
        masks.append(mask > 0)
    return box_of(masks), affine


def _fixed_size() -> int:
    files = [HERE / "vendor/niivue.umd.js", HERE / "viewer.html.j2", *(HERE / s for s in SCRIPTS)]
    return sum(path.stat().st_size for path in files) + 20_000


def _render(
    group: list[Packed],
    common: dict[str, str],
    grid: dict[str, Any],
    index: list[tuple[str, list[Packed]]],
    number: int,
) -> str:
    up = "../" if number else ""
    labels = [
        {"index": n, "name": name, "colour": _rgb(colour)}
        for n, (name, _, colour) in enumerate(PARTS, start=1)
    ]
    content = {
        "grid": grid,
        "labels": labels,
        "people": [one.content for one in group],
        "pages": [
            {"file": up + name, "people": [[one.person.key] * 2 for one in members]}
            for name, members in index
        ],
    }
    banded = any(
        point[2] is not None and point[2] != point[3]
        for one in group
        for series in one.person.series
        for points in series.volumes.values()
        for point in points
    )
    return _template().render(
        **common,
        people=[one.person for one in group],
        labels=labels,
        content=json.dumps(content, allow_nan=False).replace("<", "\\u003c"),
        volumes=[pair for one in group for pair in one.volumes.items()],
        niivue=(HERE / "vendor/niivue.umd.js").read_text(encoding="utf-8"),
        scripts=[(HERE / script).read_text(encoding="utf-8") for script in SCRIPTS],
        banded=banded,
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string((HERE / "viewer.html.j2").read_text(encoding="utf-8"))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
