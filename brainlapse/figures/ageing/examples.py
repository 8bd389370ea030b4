"""Reading the few scans, reconstructions and forecasts that the figures show."""

from pathlib import Path

import pandas as pd

from brainlapse.cohort.tables import BRAIN
from brainlapse.figures import loading
from brainlapse.figures.ageing.forecasts import Forecast
from brainlapse.figures.models.reconstructions import Example
from brainlapse.images import load_canonical


def stems(scans: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the stem of the files of every (dataset, scan)."""
    rows = scans.to_dict("records")
    return {(str(row["dataset"]), str(row["scan"])): loading.stem_of(row) for row in rows}


def load_reconstructions(chosen: pd.DataFrame, scans: pd.DataFrame, root: Path) -> list[Example]:
    """Read the chosen scans and their reconstructions.

    Parameters
    ----------
    chosen
        Rows of ``reconstruction.tsv`` with ``rank``.
    scans
        ``scans.tsv``.
    root
        Output folder, to which the column ``file`` is relative.
    """
    stem = stems(scans)
    examples = []
    for row in chosen.to_dict("records"):
        name = stem[str(row["dataset"]), str(row["scan"])]
        brain, affine = load_canonical(f"{root}/preprocess/{name}{BRAIN}")
        made, _ = load_canonical(root / row["file"])
        title = f"{row['rank']} of {row['split']}: {row['scan']}, SSIM {row['ssim']:.3f}"
        scores = f"PSNR {row['psnr_db']:.1f} dB, MAE {row['mae']:.3f}"
        examples.append(Example(title, scores, brain, made, affine))
    return examples


def load_forecasts(
    chosen: pd.DataFrame, scans: pd.DataFrame, root: Path, rebuilt: pd.DataFrame
) -> list[Forecast]:
    """Read the chosen forecasts with the scans before and after; ages without a scan are left out.

    Parameters
    ----------
    chosen
        Rows of the forecast table.
    scans
        ``scans.tsv``.
    root
        Output folder, to which the column ``file`` is relative.
    rebuilt
        ``reconstruction.tsv``.
    """
    stem = stems(scans)
    rebuilt_file = rebuilt.set_index(["dataset", "scan"])["file"]
    examples = []
    for row in chosen.to_dict("records"):
        dataset = str(row["dataset"])
        keys = [(dataset, str(row["last_scan"])), (dataset, str(row["scan"]))]
        if not all(key in stem for key in keys):
            continue
        last, true = (load_canonical(f"{root}/preprocess/{stem[key]}{BRAIN}")[0] for key in keys)
        last_rebuilt, _ = load_canonical(root / rebuilt_file[keys[0]])
        made, affine = load_canonical(root / row["file"])
        ages_years = (row["last_age_years"], row["target_age_years"])
        examples.append(
            Forecast(
                subject=str(row["subject"]),
                n_scans_seen=int(row["n_scans_seen"]),
                method=str(row["method"]),
                ages_years=ages_years,
                last=last,
                last_rebuilt=last_rebuilt,
                true=true,
                forecast=made,
                affine=affine,
            )
        )
    return examples
