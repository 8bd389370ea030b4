"""What stops the cohort: mistakes of the configuration or tables, never a single bad scan."""


class CohortError(Exception):
    """The cohort cannot be built; the message says what was found and what to do."""


class LeakageError(CohortError):
    """A subject, or one image under two names, stands on two sides of the split."""
