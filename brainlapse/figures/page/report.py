"""The report: one HTML file that needs no other file and no network."""

import hashlib
import json
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from brainlapse.configuration.judges import shared_judges
from brainlapse.figures import tables
from brainlapse.figures.page import (
    blocks,
    findings,
    methods,
    norm_section,
    sections,
    site_blocks,
    task_section,
)
from brainlapse.figures.page import model_sections as models
from brainlapse.figures.page.blocks import Block, Section
from brainlapse.figures.page.sections import Run
from brainlapse.figures.settings import ReportSettings
from brainlapse.operations.costs import gather_costs

LEAD = "From raw T1-weighted head scans to predicted brains: what went in, what came out, how well."
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
        summary_section(run, config),
        sections.cohort_section(run),
        sections.quality_section(run, settings.max_qc_pictures),
        models.autoencoder_section(run),
        sections.latent_section(run),
        task_section.task_section(run),
        sections.ageing_section(run),
        norm_section.norm_section(run),
        methods_section(run, config, versions),
        provenance_section(run, config, versions, fingerprints),
    ]
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    version = versions.get("brainlapse", "")
    return template.render(title=settings.title, lead=LEAD, sections=chapters, version=version)


def summary_section(run: Run, config: dict) -> Section:
    """Say what was found: what is worse than its competitor first, then all of it in sentences."""
    found = findings.comparisons(run)
    worse = findings.warnings(found)
    return Section(
        "summary",
        "What was found",
        [
            *([blocks.warning(worse)] if worse else []),
            *site_blocks.double_warnings(run.table("preprocess/doubles.tsv", tables.DOUBLES)),
            *site_blocks.task_warnings(run.table("cohort/site_audit.tsv", tables.SITE_AUDIT)),
            *map(blocks.note, shared_judges(config)),
            blocks.bullets(findings.sentences(run, found)),
            blocks.table(
                findings.comparison_table(found),
                "Forecasts beside a copy of the last scan and the best that needs no network, on "
                "the same forecasts: mean absolute volume error over subjects, with 95 % intervals "
                "(bootstrap over subjects). Below zero, the forecast is better.",
                empty="No forecast was compared with a copy of the last scan.",
            ),
            blocks.link("The viewer", "viewer.html", "shows these people: slide the age."),
            summary_tiles(run),
        ],
    )


def summary_tiles(run: Run) -> Block:
    """Return the numbers of the cohort: usable, rejected and flagged scans, splits."""
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
    return blocks.tiles(items)


def methods_section(run: Run, config: dict, versions: dict[str, str]) -> Section:
    """Show what was done as text for a paper, and its references."""
    words = methods.text(run, config, versions)
    return Section(
        "methods",
        "Methods",
        [
            *(blocks.text(part) for part in methods.paragraphs(words)),
            blocks.note("The same text is methods.md beside this page, its references.bib BibTeX."),
            blocks.code(methods.references(words), "References"),
        ],
    )


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
            blocks.heading("Cost"),
            blocks.table(
                gather_costs(run.root / "logs", len(run.table("cohort/scans.tsv"))),
                "What the jobs cost that made the results, by rule. For a cohort of another size, "
                "multiply the seconds per scan; training has its own budget.",
                empty="No job has ended.",
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
