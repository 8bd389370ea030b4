"""What a bundle says of itself: where it was trained, how well it does, how to use it."""

from typing import Any

import pandas as pd
import yaml

from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.space import SpaceSettings

SCORES = {"ssim": "SSIM", "psnr_db": "PSNR [dB]", "mae": "mean absolute error",
          "perceptual": "perceptual distance"}  # fmt: skip
FORECAST_REGIONS = ("ventricles", "hippocampus")
FORECAST_COLUMNS = {
    "region": "region",
    "method": "method",
    "n_scans_seen": "scans seen",
    "n_subjects": "subjects",
    "mean_abs_error_pct": "mean error [%]",
    "median_abs_error_pct": "median error [%]",
}
NO_LICENCE = "not stated; ask whoever gave you this bundle before you use it or pass it on"
TEMPLATE_NOTICE = """The example is the ICBM152 2009a template, nobody's scan. Copyright (C) \
1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, \
McGill University: permission to use, copy, modify and distribute it for any purpose and without \
fee is granted, provided that this notice appears in all copies."""
OPENING = """# {name}: an autoencoder for T1-weighted brain MRI

Made with brainlapse {version}, which loads this bundle.
Latent of a scan: {latent}, from {shape} voxels of {voxel_mm} mm.

## Use

Scans must be preprocessed as the training scans were. Write those settings down, and your data:

    python -m brainlapse.bundle settings PATH_OF_THIS_BUNDLE > bundle.yaml
    echo 'datasets: {{mine: {{bids: /data/mine, role: apply}}}}' > mine.yaml
    snakemake encode --cores 8 --configfile bundle.yaml mine.yaml

`config.yaml` shows the same settings. Never give a file that came from elsewhere to --configfile:
Snakemake runs code in it. Scans of another contract are refused by name.
`python -m brainlapse.bundle check PATH` tells whether the bundle is whole and gives its example's
latent back.
"""


def contract_settings(contract: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that make scans of a contract: sections space and preprocess.

    Only what the typed models know passes. Which programs are started, and how, is never said by
    a contract: that is for whoever runs them.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the contract holds something else.
    """
    stages = {key: contract[key] for key in PreprocessSettings.model_fields if key in contract}
    stages["intensity"] = contract["intensity"]["settings"]
    stages["mask"] = {key: value for key, value in stages["mask"].items() if key != "synthstrip"}
    checked = PreprocessSettings.model_validate(stages).model_dump(mode="json", include=set(stages))
    checked["mask"].pop("synthstrip", None)
    grid = {key: contract["grid"][key] for key in ("voxel_mm", "shape")}
    space = SpaceSettings.model_validate(grid).model_dump(mode="json")
    return {"space": space, "preprocess": checked}


def config_fragment(name: str, contract: dict[str, Any], place: str) -> str:
    """Return the settings that make scans of this contract, as YAML for --configfile.

    Parameters
    ----------
    name
        Of the model.
    contract
        Contract of the training scans.
    place
        Where the bundle lies.
    """
    settings = {**contract_settings(contract), "autoencoders": {name: {"bundle": place}}}
    return "# Preprocessing of the training scans; add datasets, and the place of the bundle.\n" + (
        yaml.safe_dump(settings, sort_keys=False)
    )


def trained_on(index: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count scans and subjects by dataset and split: those that trained or selected the model.

    Parameters
    ----------
    index
        ``index.tsv`` of the latents: dataset, subject, role, split, flagged.
    """
    flagged = index.get("flagged", pd.Series(False, index=index.index)).astype(bool)
    used = index[(index["role"] == "fit") & index["split"].isin(["train", "validation"]) & ~flagged]
    return {
        f"{dataset}, {split}": {"scans": len(rows), "subjects": int(rows["subject"].nunique())}
        for (dataset, split), rows in used.groupby(["dataset", "split"])
    }


def readme(
    name: str,
    card: dict[str, Any],
    summary: pd.DataFrame,
    licence: str,
    example: str,
    forecasts: pd.DataFrame,
) -> str:
    """Return README.md.

    Parameters
    ----------
    card
        config.json, with `trained_on`.
    summary
        ``reconstruction_summary.tsv``.
    licence
        Of the weights.
    example
        What the example is.
    forecasts
        ``aging/<model>/summary.tsv``; without rows where nothing was forecast.
    """
    grid = card["grid"]
    opening = OPENING.format(
        name=name,
        version=card.get("versions", {}).get("brainlapse", "(unknown version)"),
        latent=" x ".join(map(str, card["latent_shape"])),
        shape=" x ".join(map(str, grid["shape"])),
        voxel_mm=grid["voxel_mm"],
    )
    counts = [
        {"data set, split": key, **numbers} for key, numbers in sorted(card["trained_on"].items())
    ]
    facts = [{"what": key, "value": card[key]} for key in ("seed", "steps", "epochs", "best_epoch",
             "parameters") if key in card]  # fmt: skip
    tools = [{"tool": tool, "version": v} for tool, v in sorted(card.get("versions", {}).items())]
    parts = [
        opening,
        "## Trained on\n\n" + _markdown(pd.DataFrame(counts)),
        _markdown(pd.DataFrame(facts)),
        "## Reconstructions\n\nMean ± standard deviation over scans, inside the brain mask; "
        "`reconstruction_summary.tsv` has the groups.\n\n" + _markdown(_scores(summary)),
        "## Forecasts\n\nAbsolute errors of regional volumes on held-out people; `copy_last` "
        "repeats the last scan seen, and what does no better has learnt nothing of ageing.\n\n"
        + _markdown(_forecast_errors(forecasts)),
        f"## Example\n\n{example}",
        f"## Licence\n\nWeights: {licence}",
        "## Versions\n\n" + _markdown(pd.DataFrame(tools)),
        "Research software, not a medical device.\n",
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _scores(summary: pd.DataFrame) -> pd.DataFrame:
    whole = summary[summary["dataset"] == "all"]
    table = whole[["method", "split", "n"]].rename(columns={"n": "scans"})
    for metric, words in SCORES.items():
        if f"{metric}_mean" in whole:
            pairs = zip(whole[f"{metric}_mean"], whole[f"{metric}_sd"], strict=True)
            table[words] = [f"{mean:.4g} ± {deviation:.2g}" for mean, deviation in pairs]
    return table


def _forecast_errors(summary: pd.DataFrame) -> pd.DataFrame:
    if summary.empty:
        return summary
    rows = summary[summary["region"].isin(FORECAST_REGIONS)]
    table = rows[[name for name in FORECAST_COLUMNS if name in rows]]
    return table.rename(columns=FORECAST_COLUMNS).round(2)


def _markdown(table: pd.DataFrame) -> str:
    if table.empty:
        return "Not known."
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
