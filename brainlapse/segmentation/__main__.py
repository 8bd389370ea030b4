"""Entry of ``python -m brainlapse.segmentation``."""

import sys

from brainlapse.segmentation.embedded.command import main

if __name__ == "__main__":
    sys.exit(main())
