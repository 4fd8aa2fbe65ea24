"""The web page in a real browser."""

import asyncio
import base64
import os
from pathlib import Path

import devtools
import pytest
from served import picture, running

TEXTS = "[...document.querySelectorAll('.card')].map((one) => one.innerText)"
WIDE = """
JSON.stringify([document.documentElement.scrollWidth - innerWidth,
 [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() &&
   one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))])
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A red picture, a weak one, a damaged one, a TIFF and a name like HTML."""
    folder = tmp_path_factory.mktemp("pictures")
    named = {
        "red.png": picture(),
        "weak.jpg": picture((120, 100, 100), (200, 120), "JPEG"),
        "cut.png": picture()[:-20],
        "scan.tif": picture((20, 20, 250), format="TIFF"),
        "<img src=x onerror=alert(1)>.png": picture((20, 250, 20), (30, 60)),
    }
    for name, data in named.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in named]


def shown(server, folder, steps):
    """Run the steps in a page of the server; the page."""

    async def run():
        async with devtools.opened(f"http://{server.host}:{server.port}/", folder) as page:
            await steps(page)
            return page

    return asyncio.run(run())


def keep(data, name):
    """Keep a screenshot where TRACKBED_SCREENSHOTS names a folder."""
    if os.environ.get("TRACKBED_SCREENSHOTS"):
        Path(os.environ["TRACKBED_SCREENSHOTS"], name).write_bytes(base64.b64decode(data))


def test_pictures_are_answered_and_nothing_else_is_asked(server, pictures, tmp_path):
    async def steps(page):
        await page.until("document.querySelector('#model').textContent")
        assert "red, green, blue" in await page.value(
            "document.querySelector('#model').textContent"
        )
        await page.choose_files("#files", pictures)
        await page.until("document.querySelector('#status').textContent.startsWith('5 of 5')")
        red, weak, cut, scan, html = await page.value(TEXTS)
        assert "red > 99.9 %" in red
        assert "refused: not sure enough" in weak
        assert "refused" not in red
        assert "truncated" in cut
        assert "blue" in scan
        assert "cannot show this file" in scan
        assert "<img src=x onerror=alert(1)>.png" in html
        assert "green" in html

        assert await page.value("document.querySelectorAll('canvas').length") == 0
        await page.press("m", 77)
        assert await page.value("document.querySelector('#map').checked")
        await page.until("document.querySelectorAll('.picture canvas').length == 3")
        for width in (400, 800, 1600):
            for scheme in ("light", "dark"):
                await page.show_as(width, scheme=scheme)
                too_wide = await page.value(WIDE)
                assert too_wide == "[0,[]]", too_wide
                keep(await page.picture(), f"{scheme}_{width}.png")
        dark = await page.value("getComputedStyle(document.body).backgroundColor")
        assert dark == "rgb(21, 24, 28)"

    page = shown(server, tmp_path, steps)
    here = f"http://{server.host}:{server.port}/"
    others = [url for url in page.requests if not url.startswith((here, "blob:" + here))]
    assert others == []
    # The browser itself reports the status of the damaged picture.
    assert [line for line in page.console if "422" not in line] == []


def test_the_page_works_with_keys_alone(server, pictures, tmp_path):
    async def steps(page):
        await page.choose_files("#files", pictures[:3])
        await page.until("document.querySelector('#status').textContent.startsWith('3 of 3')")
        await page.press("Tab", 9)
        focused = "document.activeElement.id || document.activeElement.className"
        order = []
        for _ in range(4):
            order.append(await page.value(focused))
            await page.press("Tab", 9)
        assert order == ["files", "map", "clear", "card"]
        await page.value("document.querySelector('.card').focus()")
        await page.press("ArrowRight", 39)
        name = "document.activeElement.querySelector('.name').innerText"
        assert "weak.jpg" in await page.value(name)
        await page.press("Delete", 46)
        assert "cut.png" in await page.value(name)
        assert await page.value("document.querySelectorAll('.card').length") == 2
        await page.value("document.querySelector('#clear').click()")
        assert await page.value("document.querySelectorAll('.card').length") == 0

    assert [line for line in shown(server, tmp_path, steps).console if "422" not in line] == []


def test_pictures_are_dropped_and_pasted(server, tmp_path):
    data = base64.b64encode(picture()).decode()
    make = f"""
    const bytes = Uint8Array.from(atob("{data}"), (one) => one.charCodeAt(0));
    const moved = new DataTransfer();
    moved.items.add(new File([bytes], "moved.png", {{type: "image/png"}}));
    """

    async def steps(page):
        drop = "new DragEvent('drop', {dataTransfer: moved, bubbles: true, cancelable: true})"
        await page.value(f"(() => {{ {make} document.body.dispatchEvent({drop}); }})()")
        await page.until("document.querySelectorAll('.card h2').length == 1")
        paste = "new ClipboardEvent('paste', {clipboardData: moved, bubbles: true})"
        await page.value(f"(() => {{ {make} document.body.dispatchEvent({paste}); }})()")
        await page.until("document.querySelectorAll('.card h2').length == 2")

    shown(server, tmp_path, steps)


def test_a_token_is_asked_for(model_folder, tmp_path, pictures):
    async def steps(page):
        await page.until("!document.querySelector('#access').hidden")
        await page.value("document.querySelector('#token').value = 's3cret-s3cret'")
        await page.value("document.querySelector('#access button').click()")
        await page.until("document.querySelector('#model').textContent")
        await page.choose_files("#files", pictures[:1])
        await page.until("document.querySelectorAll('.card h2').length == 1")

    with running(model_folder, TRACKBED_TOKEN="s3cret-s3cret") as server:
        shown(server, tmp_path, steps)


def test_the_interface_page_works_without_a_script(server, tmp_path):
    status, headers, content = server.ask("GET", "/docs")
    text = content.decode()
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert "<script" not in text
    assert "//" not in text.replace("http://json-schema", "")
    for path in ("/predict", "/v2/models/{name}/infer", "/metrics"):
        assert f"<code>{path}</code>" in text
