"""Write the page that shows the whole run."""

from pathlib import Path

from brainlapse import provenance, runtime
from brainlapse.figures.page import report as page
from brainlapse.figures.page.sections import Run
from brainlapse.figures.settings import ReportSettings


def main(snakemake) -> None:
    """Unpack, call, write."""
    runtime.start(snakemake)
    params = snakemake.params
    run = Run(
        root=Path(snakemake.output.page).parents[1],
        models=tuple(params.models),
        tasks=tuple(params.config["tasks"]),
        captions=params.captions,
    )
    scripts = sorted(Path(snakemake.scriptdir).glob("*.py"))
    html = page.build(
        run,
        ReportSettings.model_validate(params.config["report"]),
        params.config,
        provenance.versions(),
        {path.stem: page.short_hash(provenance.code_fingerprint(path)) for path in scripts},
    )
    with runtime.atomic_path(snakemake.output.page) as temporary:
        temporary.write_text(html, encoding="utf-8")


main(snakemake)
