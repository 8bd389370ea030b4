"""The demo cohort on disk: a BIDS data set with its truth under derivatives/truth."""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainlapse import runtime
from brainlapse.images import save_volume
from brainlapse.simulation.acquisition import SITES
from brainlapse.simulation.ageing import AGED_REGIONS
from brainlapse.simulation.anatomy import LABELS, build_anatomy
from brainlapse.simulation.brains import simulate_brain
from brainlapse.simulation.regions import REGIONS
from brainlapse.simulation.scans import SimulatedScan, build_shape, simulate_scan
from brainlapse.simulation.settings import SimulationSettings
from brainlapse.simulation.subjects import Subject, plan_subjects

BIDS_VERSION = "1.9.0"

# What the worker processes inherit by fork instead of building it again.
_shared: dict[str, Any] = {}


def write_dataset(settings: SimulationSettings, seed: int, folder: Path, workers: int = 1) -> None:
    """Simulate a cohort into a folder.

    Parameters
    ----------
    settings
        The cohort.
    seed
        Same seed and settings give the same files; a subject's files don't depend on how many
        others there are.
    folder
        Root of the BIDS data set; made if missing.
    workers
        Processes to share the subjects.
    """
    folder = Path(folder)
    subjects = plan_subjects(settings, seed)
    _write_descriptions(folder, subjects)
    _shared.update(anatomy=build_anatomy(), settings=settings, seed=seed, folder=folder)
    truth: list[dict] = []
    for rows in runtime.progress(_run(subjects, workers), "subjects", len(subjects)):
        truth += rows
    frame = pd.DataFrame(truth)
    truth_folder = folder / "derivatives" / "truth"
    runtime.write_table(truth_folder / "truth.tsv", frame)
    runtime.write_table(truth_folder / "rates.tsv", tabulate_rates(subjects, frame))


def _run(subjects: list[Subject], workers: int) -> Iterator[list[dict]]:
    if workers <= 1:
        yield from map(_write_subject, subjects)
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_end_with_parent, initargs=(os.getpid(),)
    ) as pool:
        yield from pool.map(_write_subject, subjects)


def _end_with_parent(parent: int) -> None:
    """Watch the parent from a thread: workers must not outlive a killed job."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(143)

    threading.Thread(target=watch, daemon=True).start()


def _write_subject(subject: Subject) -> list[dict]:
    anatomy, settings = _shared["anatomy"], _shared["settings"]
    seed, folder = _shared["seed"], _shared["folder"]
    shape = build_shape(anatomy, subject, settings, seed)
    rows: list[dict] = []
    for session in range(len(subject.ages_years)):
        draw = simulate_brain if settings.brains else simulate_scan
        scan = draw(anatomy, shape, subject, session, settings, seed)
        _write_scan(folder, subject, session, scan)
        rows += _truth_rows(subject, session, scan)
    return rows


def _write_scan(folder: Path, subject: Subject, session: int, scan: SimulatedScan) -> None:
    place = Path(subject.name) / subject.sessions[session] / "anat"
    name = f"{subject.name}_{subject.sessions[session]}"
    save_volume(folder / place / f"{name}_T1w.nii.gz", scan.volume, scan.affine)
    truth = folder / "derivatives" / "truth" / place
    save_volume(truth / f"{name}_desc-tissue_dseg.nii.gz", scan.labels, scan.affine)
    runtime.write_json(
        truth / f"{name}_from-T1w_to-MNI_xfm.json",
        {
            "matrix": scan.to_mni.tolist(),
            "determinant": float(np.linalg.det(scan.to_mni[:3, :3])),
            "description": "world mm (RAS) of the raw scan to world mm of the MNI template",
        },
    )


def _truth_rows(subject: Subject, session: int, scan: SimulatedScan) -> list[dict]:
    to_mni = float(np.linalg.det(scan.to_mni[:3, :3]))
    return [
        {
            "subject": subject.name,
            "session": subject.sessions[session],
            "scan": f"{subject.name}_{subject.sessions[session]}",
            "age_years": subject.ages_years[session],
            "region": region,
            "volume_mm3": round(scan.volume_mm3[region] * to_mni, 2),
            "native_volume_mm3": round(scan.volume_mm3[region], 2),
        }
        for region in REGIONS
    ]


def tabulate_rates(subjects: list[Subject], truth: pd.DataFrame) -> pd.DataFrame:
    """Return planted and measured change of log volume per year, by subject and region.

    Parameters
    ----------
    truth
        Columns subject, age_years, region, native_volume_mm3. One session gives no measured rate.
    """
    rows = []
    for subject in subjects:
        planted = dict(zip(AGED_REGIONS, subject.rates, strict=True))
        for region in REGIONS:
            mine = truth[(truth["subject"] == subject.name) & (truth["region"] == region)]
            measured = np.nan
            if len(mine) > 1:
                logs = np.log(mine["native_volume_mm3"])
                measured = np.polyfit(mine["age_years"], logs, 1)[0]
            rows.append(
                {
                    "subject": subject.name,
                    "diagnosis": subject.diagnosis,
                    "region": region,
                    "planted_rate_per_year": planted.get(region, np.nan),
                    "measured_rate_per_year": measured,
                }
            )
    return pd.DataFrame(rows)


def _write_descriptions(folder: Path, subjects: list[Subject]) -> None:
    for place, kind in ((folder, "raw"), (folder / "derivatives" / "truth", "derivative")):
        description = {
            "Name": "brainlapse demo cohort (simulated)",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": kind,
            "GeneratedBy": [{"Name": "brainlapse.simulation"}],
        }
        runtime.write_json(place / "dataset_description.json", description)
    runtime.write_json(folder / "derivatives" / "truth" / "labels.json", LABELS)
    people = [
        {
            "participant_id": subject.name,
            "sex": subject.sex,
            "diagnosis": subject.diagnosis,
            "site": SITES[subject.site].name,
            "split": subject.split,
        }
        for subject in subjects
    ]
    runtime.write_table(folder / "participants.tsv", pd.DataFrame(people))
    for subject in subjects:
        sessions = pd.DataFrame({"session_id": subject.sessions, "age": subject.ages_years})
        path = folder / subject.name / f"{subject.name}_sessions.tsv"
        runtime.write_table(path, sessions)
