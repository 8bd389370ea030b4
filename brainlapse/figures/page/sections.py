"""The sections of the page, each from the tables and figures of one stage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from brainlapse.figures import style, tables
from brainlapse.figures.ageing import curves as ageing
from brainlapse.figures.ageing.images import image_table
from brainlapse.figures.page import blocks, pairs, site_blocks, volume_blocks
from brainlapse.figures.page.blocks import Section
from brainlapse.figures.scans import cohort, quality


@dataclass(frozen=True)
class Run:
    """Where a run keeps its results, and what it was asked to do.

    Attributes
    ----------
    root
        Output folder.
    models
        Names of the autoencoders.
    tasks
        Settings of the tasks: ``name``, ``target``, ``kind``.
    captions
        Texts under the figures, by file name of the figure.
    """

    root: Path
    models: tuple[str, ...]
    tasks: tuple[dict[str, Any], ...]
    captions: dict[str, str]

    def table(self, name: str, columns: tuple[str, ...] = ()) -> pd.DataFrame:
        """Read a table of the run; without rows if it is not there."""
        return tables.read(self.root / name, columns)

    def figure(self, name: str, alt: str, caption: str | None = None) -> blocks.Block:
        """Embed a figure of the run with its caption."""
        words = self.captions.get(caption or Path(name).stem, "")
        return blocks.figure(self.root / "report/figures" / name, words, alt)


def cohort_section(run: Run) -> Section:
    """Show counts, ages, rejected scans, notes and alternatives."""
    scans = run.table("cohort/scans.tsv", tables.SCANS)
    rejected = all_rejected(run)
    alternatives = run.table("cohort/alternatives.tsv", tables.ALTERNATIVES)
    return Section(
        "cohort",
        "Cohort",
        [
            blocks.table(
                cohort.count_table(scans),
                "Scans that passed the checks of the cohort stage, by dataset and split. All scans "
                "of a subject are on the same side.",
                empty="No scan passed the checks of the cohort stage.",
            ),
            run.figure("cohort.png", "the cohort"),
            *site_blocks.double_warnings(run.table("preprocess/doubles.tsv", tables.DOUBLES)),
            *site_blocks.audit_blocks(run.table("cohort/site_audit.tsv", tables.SITE_AUDIT)),
            blocks.heading("Rejected scans"),
            blocks.table(
                rejected,
                "Files that no later stage uses, with the stage that gave them up.",
                empty="No scan was rejected.",
            ),
            blocks.heading("Notes"),
            blocks.table(
                cohort.noted(scans),
                "Scans that stay in the cohort with a limitation.",
                empty="No accepted scan carries a note.",
            ),
            blocks.heading("Scans not picked"),
            blocks.table(
                _filled(alternatives, tables.ALTERNATIVES),
                "Where a session holds several T1-weighted files (acq, run), one is used.",
                empty="No session holds more than one T1-weighted file.",
            ),
        ],
    )


def all_rejected(run: Run) -> pd.DataFrame:
    """Return the rejected scans of the cohort and preprocessing stages in one table."""
    parts = [
        run.table(f"{stage}/rejected.tsv", tables.REJECTED) for stage in ("cohort", "preprocess")
    ]
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame()
    return _filled(pd.concat(filled), ("stage", "dataset", "scan", "reason", "path"))


def _filled(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return these columns without those that hold nothing."""
    return table[list(columns)].dropna(axis="columns", how="all")


def quality_section(run: Run, max_pictures: int) -> Section:
    """Show the suspect scans, distributions and the table of quality numbers."""
    checked = run.table("preprocess/qc.tsv", tables.QUALITY)
    section = Section("quality", "Preprocessing quality")
    if checked.empty:
        section.blocks.append(blocks.note("No quality numbers: no scan was preprocessed."))
        return section
    counts = checked["status"].value_counts()
    found = ", ".join(f"{counts.get(s, 0)} {s}" for s in ("accepted", "flagged", "rejected"))
    section.blocks += [
        blocks.text(
            f"{len(checked):,} scans were preprocessed: {found}. Flagged scans are encoded and "
            "analysed but fit no autoencoder; rejected ones are left out. To go through all scans "
            "and overrule these verdicts, open qc.html beside this page."
        ),
        _gallery(run, checked, max_pictures),
        blocks.heading("What stands out"),
        blocks.table(
            quality.reason_table(checked),
            "Why scans were flagged or rejected; a scan may have several reasons.",
            empty="No scan was flagged or rejected.",
        ),
        *_visit_blocks(run),
        blocks.table(
            quality.extreme_table(checked),
            "Per number the scan farthest from the median, in robust standard deviations (z).",
            empty="No quality number varies.",
            folded="The most unusual scan of every number",
        ),
        blocks.fold(
            run.figure("quality.png", "the quality numbers"), "Distribution of every number"
        ),
        blocks.table(
            _quality_table(checked),
            "Click a column to sort.",
            empty="",
            folded="Table of all scans",
        ),
    ]
    return section


def _visit_blocks(run: Run) -> list[blocks.Block]:
    """Show which visits do not go with an earlier one of the same person, if any were compared."""
    visits = run.table("preprocess/visits.tsv", tables.VISITS)
    if visits.empty:
        return []
    return [
        blocks.heading("Visits of one person"),
        blocks.text(
            f"{len(visits):,} pairs of visits were held against each other. To flip between two on "
            "one grid, press v in qc.html."
        ),
        blocks.table(
            pairs.standing_out(visits),
            "Visits that stand out beside an earlier one of the same person.",
            empty="No visit stands out beside an earlier one of the same person.",
        ),
    ]


def _quality_table(checked: pd.DataFrame) -> pd.DataFrame:
    lead = ["dataset", "scan", "status", "reasons"]
    return checked[[*lead, *quality.numeric_columns(checked)]]


def _gallery(run: Run, checked: pd.DataFrame, max_pictures: int) -> blocks.Block:
    folder = run.root / "report/quality"
    index = tables.read(folder / "index.tsv", ("dataset", "scan", "file"))
    numbers = quality.numeric_columns(checked)
    by_scan = checked.drop_duplicates(["dataset", "scan"]).set_index(["dataset", "scan"])
    items = []
    for row in index.dropna(subset=["scan"]).to_dict("records"):
        facts = by_scan.loc[(row["dataset"], row["scan"])]
        if facts["status"] == "accepted":
            continue
        items.append(
            {
                "uri": blocks.data_uri(folder / row["file"]) if pd.notna(row["file"]) else None,
                "title": f"{row['dataset']} / {row['scan']}",
                "status": str(facts["status"]),
                "reasons": "" if pd.isna(facts["reasons"]) else str(facts["reasons"]),
                "numbers": [(style.quantity(name), blocks.cell(facts[name])) for name in numbers],
            }
        )
    if index.dropna(subset=["scan"]).empty:
        return blocks.note("No quality pictures were asked for (report: max_qc_pictures is 0).")
    if not items:
        return blocks.note("No scan was flagged or rejected.")
    words = run.captions.get("quality_pictures", "")
    cut = int((checked["status"] != "accepted").sum()) - len(items)
    if cut > 0:
        words += (
            f" {cut:,} more flagged or rejected scans are not pictured "
            f"(report: max_qc_pictures is {max_pictures:,})."
        )
    return {"kind": "gallery", "items": items, "caption": words.strip()}


def latent_section(run: Run) -> Section:
    """Show principal components of the latents, and which groups stand apart in them."""
    section = Section("latents", "Latent space")
    for model in run.models:
        section.blocks += [
            blocks.heading(model),
            run.figure(f"{model}/latents.png", f"the latent space of {model}"),
            run.figure(f"{model}/walks.png", f"walks along the components of {model}"),
            *site_blocks.separation_blocks(
                run.table(f"analysis/{model}/separation.tsv", tables.SEPARATION)
            ),
        ]
    return section


def ageing_section(run: Run) -> Section:
    """Show forecasts, trajectories, errors and linearity of every autoencoder."""
    section = Section("ageing", "Ageing")
    volumes = run.table("volumes/volumes.tsv", tables.VOLUMES)
    section.blocks += [
        blocks.text(volume_blocks.sentence(volumes)),
        volume_blocks.group_table(run.table("volumes/group_rates.tsv", tables.GROUP_RATES)),
        volume_blocks.floor_table(run.table("volumes/noise_floor.tsv", tables.NOISE_FLOOR)),
        site_blocks.step_table(
            run.table("volumes/site_steps.tsv", tables.SITE_STEPS), ageing.REGION_ORDER[:4]
        ),
    ]
    for model in run.models:
        folder = f"aging/{model}"
        errors = run.table(f"{folder}/errors.tsv", tables.ERRORS)
        section.blocks += [
            blocks.heading(model),
            run.figure(f"{model}/forecasts.png", f"forecasts of {model}"),
            run.figure(f"{model}/trajectories.png", f"volume trajectories of {model}"),
            blocks.table(
                ageing.error_table(errors),
                "Median absolute error of regional volumes against the segmented true scan, by "
                "method and number of scans seen. The first need no network: copy_last repeats "
                "the last scan seen, volume_linear, volume_rate and volume_bayes forecast the "
                "volumes themselves. reconstruction is the floor set by the autoencoder.",
                empty="No forecast volumes were scored.",
            ),
            blocks.table(
                _chosen(run.table(f"{folder}/choice.tsv", tables.CHOICE)),
                "The default method by region and number of scans seen, chosen on validation "
                "subjects. One of the network's is chosen only where it beats the best without.",
                empty="No method was chosen: there are no forecasts.",
            ),
            run.figure(f"{model}/errors.png", f"forecast errors of {model}"),
            run.figure(f"{model}/matched.png", f"errors over scans seen of {model}"),
            blocks.table(
                image_table(run.table(f"{folder}/image_summary.tsv", tables.IMAGE_SUMMARY)),
                "Images of forecasts against the scans, inside the brain mask: mean over subjects "
                "with 95 % interval. copy_last is the last scan seen: it keeps a sharpness that "
                "decoding loses. reconstruction is the target as the autoencoder gives it back. "
                "change correlation: of the voxels' forecast change with the change observed.",
                empty="No forecast images were judged.",
            ),
            run.figure(f"{model}/interpolants.png", f"scans between two scans by {model}"),
            run.figure(f"{model}/linearity.png", f"the linearity of {model}"),
            blocks.table(
                run.table(f"{folder}/linearity_summary.tsv", tables.LINEARITY_SUMMARY),
                "How many of those whose real volume changes are not linear, with 95 % intervals.",
                empty="No volumes between two scans were measured.",
            ),
            blocks.table(
                run.table(f"{folder}/summary.tsv"),
                empty="The ageing stage wrote no summary.",
                folded="All numbers of the ageing summary",
            ),
            blocks.table(
                run.table(f"{folder}/comparisons.tsv", tables.COMPARISONS),
                empty="No two methods could be compared.",
                folded="Every method against those without a network, paired over subjects",
            ),
            blocks.table(
                run.table(f"{folder}/control.tsv", tables.CONTROL),
                "Gain over the copy of the one scan seen (volumes: % of the volume; latents: "
                "their root mean squared error), and the mean and largest gain where the ages of "
                "each training person were shuffled. A gain that shuffled ages reach as well "
                "(p_value above 0.05) does not come from ageing.",
                empty="Nothing was shuffled: no forecasts from one scan, or no rates to learn.",
                folded="A control: the ages of training people shuffled",
            ),
            blocks.table(
                run.table(f"{folder}/coverage.tsv", tables.COVERAGE),
                empty="No intervals were judged.",
                folded="What the intervals cover",
            ),
        ]
    return section


def _chosen(choice: pd.DataFrame) -> pd.DataFrame:
    """Leave the regions that the report opens with."""
    return choice[choice["region"].isin(ageing.REGION_ORDER[:4])] if len(choice) else choice
