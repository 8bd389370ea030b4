"""One BIDS derivative data set per data set of a run: links to images, tables, sidecars."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from brainlapse import runtime
from brainlapse.cohort.tables import SCAN
from brainlapse.derivatives import names, tables
from brainlapse.derivatives.dictionary import dictionary
from brainlapse.rejection import read_rejection
from brainlapse.segmentation.labels import STRUCTURES, region_name

BIDS_VERSION = "1.10.0"
README = """\
# {dataset}: derivatives made by brainlapse

Brains in MNI space, their reconstructions and forecasts by autoencoders, segmentations and
regional volumes. Images are links into the output folder: copy with `cp -rL` to hand them on.
`phenotype/` holds the tables; each has a JSON file that says what its columns mean.
`report/methods.md` of the run says what was done. This is research software, not a medical device.
"""


@dataclass(frozen=True)
class Sources:
    """What the derivatives are made from.

    Attributes
    ----------
    root
        Output folder of the run.
    scans, volumes, rates
        Usable scans (``dataset, subject, session, scan, scan_path`` and columns of the user),
        ``volumes.tsv`` and ``rates.tsv``.
    forecasts
        ``predictions.tsv`` by model.
    reconstructions
        ``reconstruction.tsv`` by model.
    tables
        Further tables with the columns ``dataset`` and ``subject``, by name.
    """

    root: Path
    scans: pd.DataFrame
    volumes: pd.DataFrame
    rates: pd.DataFrame
    forecasts: Mapping[str, pd.DataFrame]
    reconstructions: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]


def build(sources: Sources, target: Path, versions: Mapping[str, str]) -> None:
    """Write a derivative data set for each data set of the run into a folder of its name."""
    for dataset, scans in sources.scans.groupby("dataset", sort=True):
        folder = target / str(dataset)
        folder.mkdir(parents=True)
        describe(folder, str(dataset), versions)
        link_scans(sources, scans, folder)
        for model, forecasts in sources.forecasts.items():
            rebuilt = sources.reconstructions[model]
            link_decoded(sources.root, model, with_files(scans, rebuilt), forecasts, folder)
        write_tables(sources, str(dataset), scans, folder)


def describe(folder: Path, dataset: str, versions: Mapping[str, str]) -> None:
    """Write dataset_description.json, README and the table of labels."""
    generated = [{"Name": "brainlapse", "Version": versions["brainlapse"]}]
    generated += [{"Name": n, "Version": v} for n, v in versions.items() if n != "brainlapse"]
    runtime.write_json(
        folder / "dataset_description.json",
        {
            "Name": f"{dataset}: brains, forecasts and regional volumes",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "License": "that of the scans it was made from",
            "GeneratedBy": generated,
        },
    )
    (folder / "README.md").write_text(README.format(dataset=dataset), encoding="utf-8")


def link_scans(sources: Sources, scans: pd.DataFrame, folder: Path) -> None:
    """Link what preprocessing and segmentation made of each scan."""
    for row in scans.to_dict("records"):
        place = folder / names.folder_of(row)
        stem = sources.root / "preprocess" / row["scan_path"]
        for kind in names.SCAN_KINDS:
            _link(f"{stem}{kind.ending}", place / f"{row['scan']}{kind.bids}", kind.sidecar)
        labels = sources.root / f"volumes/real/{row['dataset']}/{row['subject']}_labels"
        _link(
            labels / f"{row['scan']}{names.LABELS.ending}",
            place / f"{row['scan']}{names.LABELS.bids}",
            names.LABELS.sidecar,
        )
        _write_labels(place / f"{row['scan']}{names.LABELS.bids}")


def with_files(scans: pd.DataFrame, rebuilt: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``file``, where a reconstruction lies, to a table of scans."""
    return scans.merge(rebuilt[[*SCAN, "file"]], on=SCAN, validate="one_to_one")


def link_decoded(
    root: Path, model: str, scans: pd.DataFrame, forecasts: pd.DataFrame, folder: Path
) -> None:
    """Link one autoencoder's reconstructions and forecasts."""
    for row in scans.to_dict("records"):
        ending = names.decoded_ending(f"{model}_reconstructed")
        sidecar = {"Description": f"reconstruction by {model}", "SkullStripped": True}
        place = folder / names.folder_of(row) / f"{row['scan']}{ending}"
        _link(root / row["file"], place, sidecar)
    mine = forecasts[forecasts["dataset"] == scans["dataset"].iloc[0]]
    for row in mine.dropna(subset=["file"]).to_dict("records"):
        what = f"{model}_{row['method']}_seen_{int(row['n_scans_seen'])}"
        if row["n_scans_so_far"] > row["n_scans_seen"]:
            what += f"_of_{int(row['n_scans_so_far'])}"
        sidecar = {
            "Description": f"forecast by {model}, method {row['method']}",
            "SkullStripped": True,
            "ScansSeen": str(row["seen_scans"]).split(","),
            "LastAgeSeen": row["last_age_years"],
            "ForecastAge": row["target_age_years"],
        }
        place = folder / names.folder_of(row) / f"{row['scan']}{names.decoded_ending(what)}"
        _link(root / row["file"], place, sidecar)


def write_tables(sources: Sources, dataset: str, scans: pd.DataFrame, folder: Path) -> None:
    """Write participants, sessions and the tables of phenotype/, each with its dictionary."""
    people = tables.participants(scans)
    _write(folder / "participants.tsv", people)
    found = tables.sessions(scans)
    for subject, table in found.items():
        runtime.write_table(folder / subject / f"{subject}_sessions.tsv", table)
    if found:
        columns = next(iter(found.values())).columns
        for subject in found:
            runtime.write_json(folder / subject / f"{subject}_sessions.json", dictionary(columns))
    volumes = sources.volumes[sources.volumes["dataset"] == dataset]
    made = {
        "volumes": tables.wide_volumes(volumes, scans, "volume_mm3"),
        "volumes_native": tables.wide_volumes(volumes, scans, "native_volume_mm3"),
        "volumes_long": tables.long_volumes(volumes, scans),
    }
    rates = sources.rates[sources.rates["dataset"] == dataset]
    if len(rates):
        made["rates"] = tables.wide_rates(rates, scans)
        made["rates_long"] = tables.identified(rates)
    for name, table in sources.tables.items():
        mine = table[table["dataset"] == dataset] if "dataset" in table else table.iloc[:0]
        if len(mine):
            made[name] = tables.identified(mine)
    for name, table in made.items():
        _write(folder / "phenotype" / f"{name}.tsv", table)


def _write(path: Path, table: pd.DataFrame) -> None:
    runtime.write_table(path, table)
    runtime.write_json(path.with_suffix(".json"), dictionary(table.columns))


def _write_labels(image: Path) -> None:
    if image.is_symlink():
        rows = [(number, region_name(name)) for name, number in STRUCTURES.items()]
        table = pd.DataFrame([(0, "background"), *rows], columns=["index", "name"])
        runtime.write_table(image.with_name(image.name.replace(".nii.gz", ".tsv")), table)


def _link(source: str | Path, place: Path, sidecar: Mapping[str, Any]) -> None:
    """Link an image, relative, with its sidecar; a notice of rejection is no image."""
    source = Path(source)
    if not source.is_file() or read_rejection(source) is not None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(os.path.relpath(source, place.parent))
    runtime.write_json(place.with_name(place.name.replace(".nii.gz", ".json")), dict(sidecar))
