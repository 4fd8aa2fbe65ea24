"""A real browser that a test drives: https://chromedevtools.github.io/devtools-protocol/"""

import asyncio
import json
import re
import subprocess
from contextlib import asynccontextmanager

import aiohttp
import browser


class Page:
    """A tab: what it does, what it asks the network for, and what its console says."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0
        self.answers, self.requests, self.console = {}, [], []
        self.reader = asyncio.create_task(self._read())

    async def _read(self):
        async for message in self.socket:
            event = json.loads(message.data)
            if "id" in event:
                self.answers.pop(event["id"]).set_result(event)
            elif event["method"] == "Network.requestWillBeSent":
                self.requests.append(event["params"]["request"]["url"])
            elif event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.console.append(json.dumps(event["params"]))

    async def do(self, method, **parameters):
        """The result of a command."""
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        found = await asyncio.wait_for(answer, 60)
        assert "error" not in found, found
        return found["result"]

    async def value(self, expression):
        """The value of an expression in the page."""
        found = await self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression, seconds=30):
        """Wait until an expression is true in the page."""
        for _ in range(20 * seconds):
            if await self.value(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(
            f"{expression} after {seconds} s: {await self.value('document.body.innerText')}"
        )

    async def choose_files(self, selector, paths):
        """Choose files as a user does in the dialog."""
        root = (await self.do("DOM.getDocument"))["root"]["nodeId"]
        node = await self.do("DOM.querySelector", nodeId=root, selector=selector)
        await self.do("DOM.setFileInputFiles", files=list(map(str, paths)), nodeId=node["nodeId"])

    async def press(self, key, code=0):
        """Press and release a key."""
        options = {"key": key, "windowsVirtualKeyCode": code, "code": key}
        if len(key) == 1:
            options["text"] = key
        await self.do("Input.dispatchKeyEvent", type="keyDown", **options)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **options)

    async def show_as(self, width, height=900, scheme="light"):
        """The size of the window, and whether it is light or dark."""
        await self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.do("Emulation.setEmulatedMedia", features=[feature])

    async def picture(self):
        """A screenshot of the whole page, as base64 of a PNG."""
        found = await self.do("Page.captureScreenshot", captureBeyondViewport=True)
        return found["data"]


@asynccontextmanager
async def opened(url, folder):
    """A page of a browser of its own that has loaded a URL; skips where there is no browser."""
    command = [browser.program(), "--headless", *browser.QUIET, "--remote-debugging-port=0"]
    command += [f"--user-data-dir={folder / 'profile'}", "--remote-allow-origins=*", "about:blank"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if found := re.search(r"ws://([^/]+)/", line):
                break
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{found[1]}/json") as response:
                (target,) = [one for one in await response.json() if one["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
                    await page.do(f"{domain}.enable")
                await page.do("Page.navigate", url=url)
                await page.until(
                    "document.readyState == 'complete' && location.href != 'about:blank'"
                )
                yield page
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stderr.close()
