"""Notes on scans: sentences in one cell."""


def join_notes(*notes: str | None) -> str | None:
    """Join sentences into one cell; None if there are none."""
    return "; ".join(dict.fromkeys(note for note in notes if note)) or None
