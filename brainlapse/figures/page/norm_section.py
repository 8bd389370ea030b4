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
    if scores.empty:
        section.blocks.append(blocks.note(norms.reason(fits)))
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
    ]
    return section
