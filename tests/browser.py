"""A page in a real browser: what a script finds there, what it asks for, what the console says."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-background-networking", "--no-first-run", "--disable-component-update")
QUIET += ("--disable-sync", "--disable-gpu", "--hide-scrollbars", "--no-sandbox")
HEIGHT = 900  # pixels of a window

WIDTH = """
const wide = [...document.querySelectorAll("body *")].filter((one) =>
  one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, .box, svg, [hidden]")
  && one.checkVisibility());
return {inner: innerWidth, page: document.documentElement.scrollWidth,
        wide: wide.map((one) => one.outerHTML.slice(0, 90))};
"""


def program():
    """The browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    return found


@dataclass
class Opened:
    """A page that has loaded.

    page: that of Playwright. requests: the names of the files that it loaded beside itself.
    console: errors and warnings, those of its scripts and of its policy.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("request", self._request)
        self.page.on("console", self._message)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))

    def result(self, script):
        """What `script`, the body of a function, returns in the page."""
        return self.page.evaluate("() => {" + script + "}")

    def _request(self, request):
        if not request.is_navigation_request() and not request.url.startswith("data:"):
            self.requests.append(request.url.rpartition("/")[2])

    def _message(self, message):
        if message.type in ("error", "warning"):
            self.console.append(message.text)


@contextmanager
def opener():
    """A function that opens pages in one browser; they are closed with it."""
    executable = program()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=QUIET)

        def page_at(file, width=1000, scheme="light", **options):
            """The page of a file in a window of that width.

            scheme: 'light' or 'dark'. options: as of Playwright's Browser.new_context.
            """
            size = {"width": width, "height": HEIGHT}
            context = chromium.new_context(viewport=size, color_scheme=scheme, **options)
            opened = Opened(context.new_page())
            opened.page.goto(file.as_uri())
            return opened

        yield page_at
        chromium.close()
