"""What can go wrong when a scan is segmented."""


class SegmentationFailed(RuntimeError):
    """A backend gave no result, or one that cannot be true: the run stops."""


class ImplausibleImage(Exception):
    """An image without the tissues of a brain: its volumes are missing, the run goes on."""
