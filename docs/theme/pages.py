"""Hooks of the docs' site: pages that live outside docs/, and links that lead there.

In the repository these links work as they are; on the site they lead to the page made here, or
become plain words where there is none.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "profiles/README.md": "profiles.md",
    "CHANGELOG.md": "changes.md",
    "brainlapse/derivatives/columns.tsv": "tables.md",
}
SHIM = "https://unpkg.com/iframe-worker/shim"  # lets a page opened from a file search
OWN_SHIM = "javascripts/iframe-worker.js"
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+|)([^)#\s:]*)(#[^)\s]*)?\)")


def on_files(files, config):
    """Add the pages that live outside docs/."""
    for source, page in OUTSIDE.items():
        content = (ROOT / source).read_text(encoding="utf-8")
        if source.endswith(".tsv"):
            content = _as_page(content)
        text = _relinked(content, Path(source).parent, page)
        files.append(File.generated(config, page, content=text))
    return files


def _as_page(table):
    """Return a table of columns as a page."""
    names, *rows = [line.split("\t") for line in table.splitlines()]
    lines = [names, ["---"] * len(names), *([f"`{name}`", *rest] for name, *rest in rows)]
    return "# Columns of the tables\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def on_page_markdown(markdown, page, config, files):
    """Lead links out of docs/ to the pages made here."""
    if page.file.src_uri in OUTSIDE.values():
        return markdown
    return _relinked(markdown, Path("docs", page.file.src_uri).parent, page.file.src_uri)


def _relinked(markdown, folder, page):
    return LINK.sub(lambda match: _relink(match, folder, page), markdown)


def _relink(match, folder, page):
    words, up, target, anchor = match.group(1), match.group(2), match.group(3), match.group(4) or ""
    if not target:
        return match.group(0)
    path = (ROOT / folder / (up + target)).resolve()
    if not path.is_relative_to(ROOT):
        return match.group(0)
    wanted = path.relative_to(ROOT).as_posix()
    if wanted in OUTSIDE:
        found = OUTSIDE[wanted]
    elif wanted.startswith("docs/"):
        found = wanted.removeprefix("docs/")
    elif path.exists():
        return words  # in the repository, not on the site
    else:
        return match.group(0)  # mkdocs names the broken link
    depth = page.count("/")
    return f"[{words}]({'../' * depth}{found}{anchor})"


def on_post_page(output, page, config):
    """Load the search's helper from the site instead of the network."""
    return output.replace(SHIM, "../" * page.file.src_uri.count("/") + OWN_SHIM)


def on_post_template(output_content, template_name, config):
    """Do the same on the page of a missing address, which stands at the root."""
    return output_content.replace(SHIM, OWN_SHIM)
