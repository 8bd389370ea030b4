"""Captions of the figures, shared by the page and by Snakemake's own report."""

from pathlib import Path


def read_captions(folder: str | Path) -> dict[str, str]:
    """Return {file name without ending: text in one line} of the ``.rst`` files in a folder."""
    return {
        path.stem: " ".join(path.read_text(encoding="utf-8").split())
        for path in sorted(Path(folder).glob("*.rst"))
    }
