"""Names of derivative images that BIDS accepts, and the files of a run that they stand for."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainlapse.cohort.tables import BRAIN, BRAIN_MASK

SPACE = "MNI152NLin2009aSym"  # BIDS' label of the template
SEGMENTATION = "synthseg"


@dataclass(frozen=True)
class Kind:
    """One sort of image: its ending in the run, its ending in BIDS and what a sidecar says."""

    ending: str
    bids: str
    sidecar: dict


SCAN_KINDS = (
    Kind(
        "_desc-n4_T1w.nii.gz",
        "_desc-n4_T1w.nii.gz",
        {"Description": "raw scan, bias field removed (N4)", "SkullStripped": False},
    ),
    Kind(
        "_space-T1w_desc-brain_mask.nii.gz",
        "_desc-brain_mask.nii.gz",
        {"Description": "brain mask in the raw scan's space", "Type": "Brain"},
    ),
    Kind(
        BRAIN,
        f"_space-{SPACE}_desc-brain_T1w.nii.gz",
        {
            "Description": "brain in MNI space: stripped, intensities normalised to 0..1",
            "SkullStripped": True,
        },
    ),
    Kind(
        BRAIN_MASK,
        f"_space-{SPACE}_desc-brain_mask.nii.gz",
        {"Description": "brain mask in MNI space", "Type": "Brain"},
    ),
)
LABELS = Kind(
    "_space-MNI_dseg.nii.gz",
    f"_space-{SPACE}_seg-{SEGMENTATION}_dseg.nii.gz",
    {"Description": "segmentation in MNI space, labels as in the table of labels"},
)


def label(words: str) -> str:
    """Return letters and digits only, in camel case: ``population_rate`` -> ``populationRate``."""
    first, *rest = [part for part in re.split(r"[^A-Za-z0-9]+", words) if part]
    return first + "".join(part[0].upper() + part[1:] for part in rest)


def decoded_ending(what: str) -> str:
    """Return the BIDS ending of a decoded brain with this description label."""
    return f"_space-{SPACE}_desc-{label(what)}_T1w.nii.gz"


def folder_of(row: dict) -> Path:
    """Return ``sub-X[/ses-Y]/anat``."""
    session = row["session"]
    return Path(row["subject"], *([] if pd.isna(session) else [session]), "anat")
