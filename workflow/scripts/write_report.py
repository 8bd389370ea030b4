"""Write the page that shows the whole run."""

from pathlib import Path

from brainlapse import provenance, runtime
from brainlapse.figures.page import methods
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
    config, versions = params.config, provenance.versions()
    scripts = sorted(Path(snakemake.scriptdir).glob("*.py"))
    html = page.build(
        run,
        ReportSettings.model_validate(params.config["report"]),
        config,
        versions,
        {path.stem: page.short_hash(provenance.code_fingerprint(path)) for path in scripts},
    )
    words = methods.text(run, config, versions)
    written = {"methods": words, "references": methods.references(words), "page": html}
    for name, content in written.items():
        with runtime.atomic_path(snakemake.output[name]) as temporary:
            temporary.write_text(content, encoding="utf-8")


main(snakemake)
