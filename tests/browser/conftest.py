"""A headless Chromium, and the pages of a made-up run to open in it."""

import io
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from tests.unit.figures import fake_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
)
WIDE, PHONE = (1400, 900), (390, 844)
HOSTILE = """<img src=x onerror="document.title='broken'">"""


def start_browser(profile, *flags):
    """Start Chromium with a new profile; skip, saying why, where there is none."""
    if not (CHROMIUM and DRIVER):
        message = "needs Chromium and its driver: apt-get install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: make test has it")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    return webdriver.Chrome(options=options, service=service)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """One browser for all tests."""
    browser = start_browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()


class Page:
    """A page in a window of a given size."""

    def __init__(self, browser, path, size=WIDE, fragment=""):
        self.browser = browser
        width, height = size
        browser.get_log("browser")  # what earlier pages said
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.get("about:blank")
        browser.get(path.as_uri() + fragment)

    def run(self, script, *arguments):
        """Value of a piece of JavaScript."""
        return self.browser.execute_script(script, *arguments)

    def wait(self, script, seconds=30):
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({script})"):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)

    def text(self, selector):
        """Visible text of an element."""
        return self.browser.find_element("css selector", selector).text

    def click(self, selector):
        """Click an element."""
        self.browser.find_element("css selector", selector).click()

    def press(self, key, target="body"):
        """Press a key."""
        self.browser.find_element("css selector", target).send_keys(key)

    def pixels(self, selector):
        """Picture of an element, float (rows, columns, 3)."""
        picture = self.browser.find_element("css selector", selector).screenshot_as_png
        return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=float)

    def errors(self):
        """What the console holds beyond remarks of the graphics driver."""
        entries = self.browser.get_log("browser")
        return [
            entry["message"] for entry in entries if "GL Driver Message" not in entry["message"]
        ]

    def overflow_px(self):
        """By how much the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """Tables and images of a made-up run, hostile words in its columns."""
    root = tmp_path_factory.mktemp("made-up run")
    scans = fake_run.write_tables(root)
    fake_run.write_images(root, scans)
    return root
