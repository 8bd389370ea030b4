"""Write the page of what a run has done so far: ``python -m brainlapse.figures.page OUTPUT``."""

import argparse
import sys
from pathlib import Path

import yaml

from brainlapse import provenance, runtime
from brainlapse.config import ConfigError, load_config
from brainlapse.figures.captions import read_captions
from brainlapse.figures.page import report
from brainlapse.figures.page.sections import Run
from brainlapse.figures.settings import ReportSettings


def write_progress(root: Path) -> Path:
    """Write ``report/progress.html`` of a run, finished or not, and return its path.

    Raises
    ------
    FileNotFoundError
        If the folder holds no ``config.yaml``.
    """
    config = load_config(yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8")))
    run = Run(
        root=root,
        models=tuple(config["autoencoders"]),
        tasks=tuple(config["tasks"]),
        captions=read_captions(provenance.ROOT / "workflow/report"),
    )
    settings = ReportSettings.model_validate(config["report"])
    settings = settings.model_copy(update={"title": f"{settings.title}, so far"})
    page = root / "report/progress.html"
    html = report.build(run, settings, config, provenance.versions(), {})
    with runtime.atomic_path(page) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return page


def main() -> None:
    """Read the command line and write the page."""
    parser = argparse.ArgumentParser(prog="python -m brainlapse.figures.page", description=__doc__)
    parser.add_argument("output", type=Path, help="output folder of the run")
    folder = parser.parse_args().output
    try:
        print(write_progress(folder))
    except (FileNotFoundError, ConfigError, yaml.YAMLError) as error:
        sys.exit(f"{folder}: expected the output folder of a run, with its config.yaml: {error}")


if __name__ == "__main__":
    main()
