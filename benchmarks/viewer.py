"""How fast a viewer page opens and slides, in headless Chromium without a graphics card.

    python -m benchmarks.viewer results/report/viewer.html [--steps 21]

Opens the page three times, wide and as on a phone, then moves the slider through the ages. A step
ends when a pixel of the new picture can be read back.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.browser.conftest import PHONE, WIDE, Page, start_browser

SLIDE = """
const done = arguments[1], slider = document.getElementById("age"), began = performance.now();
slider.value = Number(slider.min) + arguments[0] * (slider.max - slider.min);
slider.dispatchEvent(new Event("input"));
requestAnimationFrame(() => requestAnimationFrame(() => {
  const gl = document.getElementById("brain").getContext("webgl2");
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  done(performance.now() - began);
}));
"""
READY = "document.body.dataset.ready"
OPENINGS = 3


def main() -> None:
    """Print size, seconds to open and milliseconds to slide."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--steps", type=int, default=21)
    options = parser.parse_args()
    path = options.page.resolve()
    print(f"{path.stat().st_size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as profile:
        browser = start_browser(profile)
        try:
            for name, size in (("wide", WIDE), ("phone", PHONE)):
                opened_s = [opening_s(browser, path, size) for _ in range(OPENINGS)]
                steps = [number / (options.steps - 1) for number in range(options.steps)]
                slid_ms = [browser.execute_async_script(SLIDE, step) for step in steps]
                print(
                    f"{name}: open in {statistics.median(opened_s):.1f} s, slide in "
                    f"{statistics.median(slid_ms):.0f} ms, at most {max(slid_ms):.0f} ms"
                )
        finally:
            browser.quit()


def opening_s(browser, path: Path, size: tuple[int, int]) -> float:
    """Open the page; seconds until it can be used."""
    began = time.monotonic()
    Page(browser, path, size).wait(READY)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
