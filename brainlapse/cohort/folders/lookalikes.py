"""What lies in a folder that gives no scan: other containers, half a download, almost a name."""

import itertools
import os
import re
from collections.abc import Iterator

from brainlapse.nifti.files import shown

T1 = re.compile(r"t1|mprage|spgr|bravo|tfe", re.IGNORECASE)
NO_IMAGES = (".json", ".tsv", ".txt", ".bval", ".bvec", ".html", ".pdf", ".md")
SHOWN = 5
MAX_LOOKED_AT = 1000  # entries; a subject's folder may hold thousands of DICOM files
DEPTH = 3


def looks_like_t1(name: str) -> bool:
    """Whether a file that is no `*_T1w.nii[.gz]` may be meant as a T1w image."""
    return bool(T1.search(name)) and not name.lower().endswith(NO_IMAGES)


def found_instead(folder: str) -> str:
    """Name the files of a folder, those that look like T1w images first."""
    names = [os.path.relpath(path, folder) for path in _files(folder, DEPTH)][:MAX_LOOKED_AT]
    names.sort(key=lambda name: (not looks_like_t1(name), name))
    if not names:
        return "no file"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(shown, names[:SHOWN])) + more


def _files(folder: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            some = itertools.islice(entries, MAX_LOOKED_AT)
            found = sorted(some, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from _files(entry.path, depth - 1)
        else:
            yield entry.path
