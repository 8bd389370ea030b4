"""What can go wrong when a scan is segmented."""


class SegmentationFailed(RuntimeError):
    """The tool gave no result, or none that can be read: the job stops."""


class ImplausibleImage(Exception):
    """An image that does not measure like a brain: its volumes are missing, the run goes on."""
