"""Whom the viewer shows: visits, forecasts and regional volumes, out of the tables of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from brainlapse.aging.plan import DECODED, sees_all
from brainlapse.cohort.tables import BRAIN, BRAIN_MASK, PERSON
from brainlapse.figures import style, tables
from brainlapse.figures.ageing.curves import ALONE, choose, is_baseline, ordered_regions
from brainlapse.figures.loading import stem_of

FORECAST_VOLUMES = (  # columns of errors.tsv; the interval is optional
    "scan",
    "region",
    "last_observed_mm3",
    "predicted_mm3",
    "low_mm3",
    "high_mm3",
)
Points = list[
    tuple[float, float, float | None, float | None]
]  # age [years], volume, low, high [ml]


@dataclass(frozen=True)
class Frame:
    """An image at an age; ``labels`` is its segmentation, where there is one."""

    age_years: float
    image: Path
    scan: str = ""
    labels: Path | None = None


@dataclass(frozen=True)
class Series:
    """One forecast: from the reconstruction of the last scan seen through the decoded ages.

    ``volumes`` are those of the pictures, or of `ALONE`, which makes none.
    """

    name: str
    start: Frame
    frames: tuple[Frame, ...]
    volumes: dict[str, Points] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """A subject with visits of known age, oldest last; measured volumes [ml] by region and age."""

    dataset: str
    subject: str
    facts: str
    visits: tuple[Frame, ...]
    masks: tuple[Path, ...]
    series: tuple[Series, ...]
    measured: dict[str, list[tuple[float, float]]]

    @property
    def key(self) -> str:
        """Name that is unique in the run."""
        return f"{self.dataset}/{self.subject}"


@dataclass(frozen=True)
class Source:
    """The tables of a run that the viewer reads, for one model, and its folder."""

    root: Path
    model: str
    scans: pd.DataFrame
    predictions: pd.DataFrame
    errors: pd.DataFrame
    volumes: pd.DataFrame
    rebuilt: Mapping[Any, str]  # (dataset, scan) -> file


def read_source(root: Path, model: str) -> Source:
    """Read the tables of a run; those that are not there have no rows."""
    rebuilt = tables.read(root / f"autoencoder/{model}/reconstruction.tsv", tables.RECONSTRUCTION)
    return Source(
        root=root,
        model=model,
        scans=tables.read(root / "latents" / model / "index.tsv", tables.SCANS),
        predictions=sees_all(
            tables.read(root / f"aging/{model}/predictions.tsv", tables.FORECASTS)
        ),
        errors=tables.read(root / f"aging/{model}/errors.tsv", tables.ERRORS),
        volumes=sees_all(tables.read(root / "volumes/volumes.tsv", tables.VOLUMES)),
        rebuilt=rebuilt.set_index(["dataset", "scan"])["file"].to_dict(),
    )


def collect(source: Source, subjects: int, series: int) -> list[Person]:
    """Return the people to show: those with forecasts first, then held-out ones with visits."""
    known = source.scans.dropna(subset=["age_years"])
    if "flagged" in known:  # neither seen by a forecast nor its target
        known = known[~known["flagged"].astype(bool)]
    chosen = list(choose(source.predictions, subjects)[PERSON].itertuples(index=False, name=None))
    held_out = known[known["split"].isin(["test", "apply"])]
    visits = held_out.groupby(PERSON, sort=True)["scan"].nunique().sort_values(kind="stable")
    others = [key for key in visits.index[::-1] if key not in set(chosen)]
    found = []
    for dataset, subject in (chosen + others)[:subjects]:
        mine = known[(known["dataset"] == dataset) & (known["subject"] == subject)]
        if len(mine):
            found.append(_person(source, mine.sort_values("age_years"), series))
    return found


def _person(source: Source, scans: pd.DataFrame, most: int) -> Person:
    rows = scans.to_dict("records")
    dataset, subject = str(rows[0]["dataset"]), str(rows[0]["subject"])
    labels = source.root / f"volumes/real/{dataset}/{subject}_labels"
    visits = tuple(
        Frame(
            float(row["age_years"]),
            source.root / f"preprocess/{stem_of(row)}{BRAIN}",
            str(row["scan"]),
            labels / f"{row['scan']}_space-MNI_dseg.nii.gz",
        )
        for row in rows
    )
    masks = tuple(source.root / f"preprocess/{stem_of(row)}{BRAIN_MASK}" for row in rows)
    return Person(
        dataset=dataset,
        subject=subject,
        facts=_facts(rows),
        visits=visits,
        masks=masks,
        series=tuple(_series(source, rows, most)),
        measured=_measured(source, dataset, subject, scans),
    )


def _facts(rows: list[dict]) -> str:
    ages = [row["age_years"] for row in rows]
    words = [str(rows[0][name]) for name in ("sex", "diagnosis") if pd.notna(rows[0][name])]
    count = f"{len(rows)} scans" if len(rows) > 1 else "1 scan"
    span = f"{ages[0]:.1f} to {ages[-1]:.1f} years" if len(rows) > 1 else f"{ages[0]:.1f} years"
    return ", ".join([*words, count, span, f"split {rows[0]['split']}"])


def _measured(
    source: Source, dataset: str, subject: str, scans: pd.DataFrame
) -> dict[str, list[tuple[float, float]]]:
    real = _of(source.volumes[source.volumes["kind"] == "real"], dataset, subject)
    real = real.dropna(subset=["volume_mm3"]).merge(scans[["scan", "age_years"]], on="scan")
    real = real.sort_values("age_years")
    return {
        name: [
            (float(age), float(mm3) / 1000)
            for age, mm3 in real.loc[real["region"] == name, ["age_years", "volume_mm3"]].to_numpy()
        ]
        for name in ordered_regions(real["region"])
    }


def _series(source: Source, rows: list[dict], most: int) -> list[Series]:
    dataset, subject = str(rows[0]["dataset"]), str(rows[0]["subject"])
    mine = _of(source.predictions, dataset, subject).dropna(subset=["file"])
    mine = mine[~mine["method"].map(is_baseline)] if len(mine) else mine
    stems = {row["scan"]: stem_of(row) for row in rows}
    found: list[Series] = []
    with_alone: set[int] = set()  # numbers of scans seen
    pairs = mine[["method", "n_scans_seen"]].drop_duplicates()
    pairs = pairs.sort_values(["n_scans_seen", "method"], ascending=[False, True])
    for method, seen in pairs.head(most).itertuples(index=False, name=None):
        group = mine[(mine["method"] == method) & (mine["n_scans_seen"] == seen)]
        group = group.sort_values("target_age_years").drop_duplicates("target_age_years")
        last = group.iloc[0]
        if last["last_scan"] not in stems:
            continue
        rebuilt = source.root / source.rebuilt[dataset, last["last_scan"]]
        if method not in DECODED:  # images from elsewhere start at the scan itself
            rebuilt = source.root / f"preprocess/{stems[last['last_scan']]}{BRAIN}"
        frames = tuple(
            Frame(float(age), source.root / file)
            for age, file in zip(group["target_age_years"], group["file"], strict=True)
        )
        name, start = style.label(method), Frame(float(last["last_age_years"]), rebuilt)
        from_scans = f"{int(seen)} {'scan' if seen == 1 else 'scans'} seen"
        alone = _forecast_volumes(source, group, ALONE, int(seen))
        if alone and seen not in with_alone:
            with_alone.add(seen)
            words = f"{style.label(ALONE)}, pictures by {name}, {from_scans}"
            found.append(Series(words, start, frames, alone))
        volumes = _forecast_volumes(source, group, str(method), int(seen))
        found.append(Series(f"{name}, {from_scans}", start, frames, volumes))
    return found


def _forecast_volumes(
    source: Source, group: pd.DataFrame, method: str, seen: int
) -> dict[str, Points]:
    """Return the forecast volumes by region; anchored ones, where they are, start as observed."""
    first = group.iloc[0]
    mine = _of(source.errors, first["dataset"], first["subject"])
    mine = mine[mine["n_scans_seen"] == seen]
    names = [f"{method}_anchored", method]
    wanted = next((name for name in names if (mine["method"] == name).any()), None)
    columns = [name for name in FORECAST_VOLUMES if name in mine]
    mine = mine.loc[mine["method"] == wanted, columns].dropna(subset=["predicted_mm3"])
    mine = mine.merge(group[["scan", "target_age_years"]], on="scan")
    found: dict[str, Points] = {}
    for region, rows in mine.sort_values("target_age_years").groupby("region"):
        start = float(rows["last_observed_mm3"].iloc[0]) / 1000
        points: Points = [(float(first["last_age_years"]), start, start, start)]
        for row in rows.to_dict("records"):
            low, high = (_ml(row.get(name)) for name in ("low_mm3", "high_mm3"))
            points.append((row["target_age_years"], row["predicted_mm3"] / 1000, low, high))
        found[str(region)] = points
    return found


def _ml(mm3: float | None) -> float | None:
    return None if mm3 is None or pd.isna(mm3) else float(mm3) / 1000


def _of(table: pd.DataFrame, dataset: object, subject: object) -> pd.DataFrame:
    mine = table["subject"] == subject
    return table[mine & (table["dataset"] == dataset)] if "dataset" in table else table[mine]
