"""A page in a real browser: what a script finds there, and what the console says."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
NARROWEST = 500  # pixels of a window; a frame may be narrower
QUIET = ("--disable-background-networking", "--no-first-run", "--disable-component-update")
QUIET += ("--disable-sync", "--disable-gpu", "--hide-scrollbars", "--no-sandbox")

WIDTH = """
const wide = [...document.querySelectorAll("body *")].filter((one) =>
  one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, .box, svg, [hidden]")
  && one.checkVisibility());
return {inner: innerWidth, page: document.documentElement.scrollWidth,
        wide: wide.map((one) => one.outerHTML.slice(0, 90)),
        requests: performance.getEntriesByType("resource").map((one) => one.name),
        titles: [document.title, document.querySelectorAll("script").length]};
"""


def program():
    """The browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    return found


def asked(page, folder, script, width=1000):
    """What `script` (the body of a function) returns in a copy of the page, and the console.

    The copy's Content-Security-Policy allows this script beside the page's own.
    """
    code = (
        "addEventListener('load', () => { const found = (() => {" + script + "})();"
        "const result = document.createElement('pre'); result.id = 'result';"
        "result.textContent = JSON.stringify(found); top.document.body.replaceChildren(result); });"
    )
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    changed = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    dom, console = opened(changed + f"<script>{code}</script>", folder, width)
    text = re.search(r'<pre id="result">(.*?)</pre>', dom, flags=re.DOTALL)[1]
    return json.loads(html.unescape(text)), console


def opened(page, folder, width=1000):
    """The document after the page has loaded, and the lines that the console wrote."""
    file = folder / "page.html"
    if width < NARROWEST:
        frame = f"border: 0; width: {width}px; height: 800px"
        page = f'<!DOCTYPE html><iframe style="{frame}" srcdoc="{html.escape(page)}"></iframe>'
    file.write_text(page, encoding="utf-8")
    command = [program(), "--headless", *QUIET, f"--user-data-dir={folder / 'profile'}"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom"]
    command += [f"--window-size={width},900", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
