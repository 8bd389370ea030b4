"""The section of the page on autoencoders: side by side, then one by one."""

import pandas as pd

from brainlapse.figures import tables
from brainlapse.figures.models import anomaly, comparison, reconstructions, training
from brainlapse.figures.page import blocks
from brainlapse.figures.page.blocks import Block, Section
from brainlapse.figures.page.sections import Run


def autoencoder_section(run: Run) -> Section:
    """Compare the models, then show loss curves and reconstructions of each."""
    section = Section("autoencoders", "Autoencoders", compared(run))
    for model in run.models:
        history = run.table(f"autoencoder/{model}/history.tsv", tables.HISTORY)
        table = run.table(f"autoencoder/{model}/reconstruction.tsv", tables.RECONSTRUCTION)
        section.blocks += [
            blocks.heading(model),
            blocks.text(training.summarise(history)),
            run.figure(f"{model}/training.png", f"the loss curves of {model}"),
            blocks.table(
                reconstructions.summarise(table),
                "Reconstructions against scans: mean ± standard deviation over scans, inside the "
                "brain mask; 'whole' columns count the background too.",
                empty="No reconstruction was scored.",
            ),
            run.figure(f"{model}/reconstructions.png", f"reconstructions by {model}"),
            *anomaly_blocks(run.table(f"analysis/{model}/anomaly.tsv", tables.ANOMALY)),
            *map_blocks(run.table(f"analysis/{model}/error_maps.tsv", tables.ERROR_MAPS)),
        ]
    return section


def anomaly_blocks(found: pd.DataFrame) -> list[Block]:
    """Show where reconstructions are worse than those of others, by group and by scan."""
    return [
        blocks.table(
            anomaly.group_table(found),
            "Mean z-score of the regional reconstruction error, each person's own mean first: "
            "against training people, whose scans the autoencoder has learnt, and against "
            "validation people, whose it has not. Held-out people lie high against the first "
            "because of that alone. Age and sex are not taken into account.",
            empty="Regional errors were not compared: too few people of the train and validation "
            "splits, or no segmentations.",
        ),
        blocks.table(
            anomaly.standing_out(found),
            "The scan's worst region; z of at least 3, the 20 highest.",
            empty="No region of any scan stands out by its reconstruction error.",
            folded="Scans with a region that is given back badly",
        ),
    ]


def map_blocks(maps: pd.DataFrame) -> list[Block]:
    """Show the scans whose error maps are highest, where maps were asked for."""
    if maps.empty:
        return []
    shown = maps.sort_values("share_above_3", ascending=False).head(20)
    return [
        blocks.table(
            shown.drop(columns=["norm_split", "people"]),
            f"Maps of the reconstruction error against {maps['people'].iloc[0]} people of the "
            f"{maps['norm_split'].iloc[0]} split: share of the voxels with z above 3 (0.001 in "
            "somebody like them), and where the highest lies in MNI space; the 20 highest.",
            empty="",
            folded="Maps of the reconstruction error",
        )
    ]


def compared(run: Run) -> list[Block]:
    """Image metrics and volume errors of all models beside the mean image."""
    summaries = {
        model: run.table(f"autoencoder/{model}/reconstruction_summary.tsv", tables.SUMMARY)
        for model in run.models
    }
    table = run.table("analysis/models.tsv", tables.MODELS)
    found = comparison.model_table(table) if len(table) else table
    return [
        blocks.heading("compared"),
        blocks.table(
            found,
            "Held-out people, with 95 % intervals (bootstrap over people). best: better than each "
            "of the others on the same people, by a paired bootstrap whose intervals exclude zero; "
            "where nothing is marked, nobody is surely best. Forecasts are of the method that "
            "validation people chose for each model; copy last and volume bayes need no network. "
            "Of many columns, one in twenty may mark a best by chance.",
            empty="No models were compared.",
        ),
        blocks.table(
            table,
            "than: the best of the others; gap: the value less its value.",
            empty="",
            folded="Differences behind it",
        )
        if len(table)
        else blocks.note("There is nothing to compare."),
        run.figure("image_errors.png", "image metrics of all models"),
        blocks.table(
            comparison.image_table(summaries),
            "Mean ± standard deviation over scans. mean_image: the mean of the training scans in "
            "place of every reconstruction, which is what a network that knows nobody reaches.",
            empty="No reconstruction was scored.",
            folded="Image metrics by split, data set and diagnosis",
        ),
        run.figure("volume_errors.png", "volume errors of all models"),
        blocks.table(
            comparison.volume_table(volume_errors(run)),
            "Regional volumes of reconstructions against those of the scans, on the split of the "
            "figure: the floor under later numbers of a model, unless they are anchored.",
            empty="No volumes of reconstructions were measured.",
            folded="Volume errors of every region",
        ),
    ]


def volume_errors(run: Run) -> dict[str, pd.DataFrame]:
    """Volume errors by model, the mean image last."""
    files = {model: f"autoencoder/{model}/volume_error.tsv" for model in run.models}
    files[comparison.MEAN_IMAGE] = "baselines/mean_image_volume_error.tsv"
    return {name: run.table(path, tables.VOLUME_ERRORS) for name, path in files.items()}
