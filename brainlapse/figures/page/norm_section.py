"""The section of the page on norms: what controls of an age and sex have, and who differs."""

from brainlapse.figures import tables
from brainlapse.figures.ageing import norms
from brainlapse.figures.page import blocks
from brainlapse.figures.page.blocks import Section
from brainlapse.figures.page.sections import Run


def norm_section(run: Run) -> Section:
    """Show the centiles of four regions, how groups lie in them, and whether they hold."""
    fits = run.table("analysis/norm_fits.tsv", tables.NORM_FITS)
    scores = run.table("analysis/norm_scores.tsv", tables.NORM_SCORES)
    section = Section("norms", "Norms")
    rates = _rates(run)
    if scores.empty:
        section.blocks += [blocks.note(norms.reason(fits)), rates]
        return section
    shown = fits[fits["region"].isin(norms.SHOWN) | fits["note"].notna()]
    section.blocks += [
        run.figure("norms.png", "the norms of regional volumes"),
        blocks.table(
            norms.group_table(scores),
            "Where groups lie among the controls, as shares of the head: mean z-score, each "
            "person's own mean first, and the share of people beyond the centiles 5 and 95. "
            "Nobody is held against curves that they were fitted to.",
            empty="None of the four regions has a norm.",
        ),
        blocks.table(
            shown.dropna(axis="columns", how="all"),
            "Whether the norms hold: z-scores of the controls, each held against curves without "
            "the person, should have mean 0 and SD 1, and 0.9 of them lie between the centiles 5 "
            "and 95.",
            empty="",
            folded="Whether the norms hold",
        ),
        rates,
    ]
    return section


def _rates(run: Run) -> blocks.Block:
    """Show where groups lie in the norms of yearly change."""
    fits = run.table("analysis/rate_norm_fits.tsv", tables.NORM_FITS)
    scores = run.table("analysis/rate_norm_scores.tsv", tables.NORM_SCORES)
    if scores.empty:
        return blocks.note(f"Yearly change: {norms.reason(fits)}")
    return blocks.table(
        norms.group_table(scores, norms.CHANGE),
        "Where groups lie in the yearly change of controls [% per year]: mean z-score, and the "
        "share of people beyond the centiles 5 and 95. The noise of the visits is in the spread, "
        "so that people of more visits lie nearer to the middle.",
        empty="No yearly change of the four regions has a norm.",
    )
