"""Entry of ``python -m brainlapse.segmentation``."""

import sys

from brainlapse.segmentation.command import main

if __name__ == "__main__":
    sys.exit(main())
