"""The report: one HTML file that needs no other file and no network."""

import hashlib
import json
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import yaml

from brainlapse.figures import tables
from brainlapse.figures.ageing import curves as ageing
from brainlapse.figures.models import reconstructions
from brainlapse.figures.page import blocks, sections
from brainlapse.figures.page import model_sections as models
from brainlapse.figures.page.blocks import Block, Section
from brainlapse.figures.page.sections import Run
from brainlapse.figures.settings import ReportSettings

LEAD = "From raw T1-weighted head scans to predicted brains: what went in, what came out, how well."
TASK_SPLITS = ("test", "apply", "validation", "all")  # on which a task is judged, first present
TEMPLATE = Path(__file__).with_name("report.html.j2")


def build(
    run: Run,
    settings: ReportSettings,
    config: dict,
    versions: dict[str, str],
    fingerprints: dict[str, str],
) -> str:
    """Return the page.

    Parameters
    ----------
    run
        Results and models.
    settings
        What to show.
    config
        The whole configuration of the run.
    versions
        Tool to version.
    fingerprints
        Rule to the hash of its code.
    """
    chapters = [
        Section("summary", "Summary", [summary_tiles(run)]),
        sections.cohort_section(run),
        sections.quality_section(run, settings.max_qc_pictures),
        models.autoencoder_section(run),
        sections.latent_section(run),
        sections.task_section(run),
        sections.ageing_section(run),
        provenance_section(run, config, versions, fingerprints),
    ]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(TEMPLATE.read_text())
    version = versions.get("brainlapse", "")
    return template.render(title=settings.title, lead=LEAD, sections=chapters, version=version)


def summary_tiles(run: Run) -> Block:
    """Return the numbers on top: cohort, rejected scans, reconstruction, tasks, ageing."""
    scans = run.table("cohort/scans.tsv", tables.SCANS)
    checked = run.table("preprocess/qc.tsv", tables.QUALITY)
    rejected = sections.all_rejected(run)
    status = checked["status"].value_counts()
    usable = int(status.get("accepted", 0) + status.get("flagged", 0))
    subjects = scans[["dataset", "subject"]].drop_duplicates()
    splits = scans["split"].value_counts()
    order = [name for name in ("train", "validation", "test", "apply") if name in splits]
    by_stage = rejected["stage"].value_counts() if "stage" in rejected else pd.Series(dtype=int)
    items = [
        blocks.tile(f"{usable:,}", "usable scans", f"{len(subjects):,} subjects in the cohort"),
        blocks.tile(
            " / ".join(f"{splits[name]:,}" for name in order) or "0",
            "scans per split",
            " / ".join(order),
        ),
        blocks.tile(
            f"{len(rejected):,}",
            "rejected scans",
            ", ".join(f"{stage} {count}" for stage, count in by_stage.items()),
        ),
        blocks.tile(f"{int(status.get('flagged', 0)):,}", "flagged scans", "fit no autoencoder"),
    ]
    items += [t for t in (_reconstruction_tile(run), _ageing_tile(run)) if t]
    return blocks.tiles(items + _task_tiles(run))


def _reconstruction_tile(run: Run) -> dict[str, str] | None:
    scores = []
    for model in run.models:
        table = run.table(f"autoencoder/{model}/reconstruction.tsv", tables.RECONSTRUCTION)
        split = reconstructions.judged_split(table)
        mine = table[table["split"] == split]
        if split is not None:
            scores.append((mine["ssim"].mean(), mine["psnr_db"].mean(), model, split))
    if not scores:
        return None
    ssim, psnr_db, model, split = max(scores)
    return blocks.tile(
        f"{ssim:.3f}", "best SSIM in the brain", f"{model}, {split} scans, PSNR {psnr_db:.1f} dB"
    )


def _ageing_tile(run: Run) -> dict[str, str] | None:
    found = []
    for model in run.models:
        errors = run.table(f"aging/{model}/errors.tsv", tables.ERRORS)
        if best := ageing.headline(errors):
            found.append((best["error_pct"], model, best))
    if not found:
        return None
    error_pct, model, best = min(found, key=lambda entry: entry[:2])
    baseline = best["baseline_pct"]
    beside = "" if baseline is None else f" beside {baseline:.1f} % for a copy of the last scan"
    return blocks.tile(
        f"{error_pct:.1f} %",
        f"best median {best['region']} error",
        f"{model}, {str(best['method']).replace('_', ' ')}, {best['n_scans_seen']} seen{beside}",
    )


def _task_tiles(run: Run) -> list[dict[str, str]]:
    items = []
    for task in run.tasks:
        table = sections.task_metrics(run, task["name"])
        wanted = "mae" if task["kind"] == "regression" else "roc_auc"
        rows = _judged_rows(table, wanted)
        if rows.empty:
            continue
        best = rows.sort_values("value", ascending=wanted == "mae").iloc[0]
        baseline = best.get("baseline", np.nan)
        beside = "" if pd.isna(baseline) else f", baseline {blocks.format_number(baseline)}"
        split = best.get("autoencoder_split", "all")
        words = f"{wanted.replace('_', ' ').upper()} of {task['name']}"
        items.append(
            blocks.tile(f"{best['value']:.3g}", words, f"{best['model']}, {split} scans{beside}")
        )
    return items


def _judged_rows(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of a metric on scans that the autoencoder was not trained on, if any."""
    if table.empty or "value" not in table:
        return table.iloc[:0]
    rows = table[table["metric"] == metric].dropna(subset=["value"])
    if "autoencoder_split" not in rows:
        return rows
    present = set(rows["autoencoder_split"])
    split = next((name for name in TASK_SPLITS if name in present), None)
    return rows[rows["autoencoder_split"] == split]


def provenance_section(
    run: Run, config: dict, versions: dict[str, str], fingerprints: dict[str, str]
) -> Section:
    """Show versions, code, time and configuration."""
    tool_table = pd.DataFrame({"tool": list(versions), "version": list(versions.values())})
    code_table = pd.DataFrame({"rule": list(fingerprints), "code": list(fingerprints.values())})
    return Section(
        "provenance",
        "Provenance",
        [
            blocks.heading("Versions"),
            blocks.table(tool_table, empty="Versions are unknown."),
            blocks.heading("Time"),
            blocks.table(
                timing(run.root / "benchmarks"),
                "Wall-clock time and memory of the jobs that are benchmarked, by rule.",
                empty="No job was benchmarked.",
            ),
            blocks.heading("Code and configuration"),
            blocks.table(
                code_table,
                "Hash of each rule's script and of every module it reaches, without comments "
                "and layout: the same hash means the same code.",
                empty="No code was hashed.",
                folded="Code fingerprint of every rule",
            ),
            blocks.code(
                yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True),
                "Configuration",
            ),
        ],
    )


def short_hash(fingerprint: dict[str, str]) -> str:
    """Return 12 hexadecimal digits that stand for the code of a rule: {module: hash}."""
    joined = "\n".join(f"{name} {digest}" for name, digest in sorted(fingerprint.items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]


def timing(folder: Path) -> pd.DataFrame:
    """Return jobs, seconds and memory by rule from Snakemake's benchmark files."""
    parts = []
    for path in sorted(folder.rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        if {"s", "max_rss"} <= set(table.columns):
            parts.append(table[["s", "max_rss"]].assign(rule=path.relative_to(folder).parts[0]))
    if not parts:
        return pd.DataFrame()
    groups = pd.concat(parts).groupby("rule")
    return pd.DataFrame(
        {
            "jobs": groups.size(),
            "median [s]": groups["s"].median(),
            "total [min]": groups["s"].sum() / 60,
            "most memory [MB]": groups["max_rss"].max(),
        }
    ).reset_index()
