"""A running `trackbed serve`, and a model for it that can be checked by hand."""

import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from onnx_model import colour_description, model_bytes
from PIL import Image

STAGES = Path(__file__).parents[1] / "stages"
CLASSES = ("red", "green", "blue")
SIDE = 16


def write_model(folder, classes=CLASSES, scale=10.0, **values):
    """An exported model whose class is the strongest colour of a picture.

    Features: the mean colours, 0 to 1, of 4 x 4 fields; embedding: their mean; probabilities: the
    softmax of `scale` times the embedding. Files are replaced by rename.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kernel = np.eye(3, dtype=np.float32) * np.float32(scale)
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "unit"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["fields"], kernel_shape=[4, 4], strides=[4, 4]
        ),
        helper.make_node("Transpose", ["fields"], ["features"], perm=[0, 2, 3, 1]),
        # ReduceMean gives other last digits for one image than for many.
        helper.make_node("GlobalAveragePool", ["fields"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        helper.make_node("Mul", ["embedding", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    constants = {"unit": np.float32(1 / 255), "scale": np.float32(scale)}
    shapes = {"probabilities": ["batch", 3], "embedding": ["batch", 3]}
    shapes["features"] = ["batch", 4, 4, 3]
    head = io.BytesIO()
    np.savez(head, kernel_0=kernel, bias_0=np.zeros(3, np.float32))
    contents = {"model.onnx": model_bytes(nodes, shapes, constants, SIDE)}
    contents["head.npz"] = head.getvalue()
    described = colour_description(classes, SIDE, contents, **{"head": ["softmax"]} | values)
    contents["model.json"] = json.dumps(described).encode()
    for name, content in contents.items():
        (folder / f".{name}.partial").write_bytes(content)
        os.replace(folder / f".{name}.partial", folder / name)
    return folder


def picture(colour=(250, 20, 20), size=(24, 20), format="PNG", **options):
    """The bytes of a picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format, **options)
    return file.getvalue()


def form(*parts, boundary="line"):
    """Content type and body of a form; parts: (headers of Content-Disposition, bytes)."""
    lines = b"".join(
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n"
        % (boundary.encode(), disposition.encode(), data)
        for disposition, data in parts
    )
    return f"multipart/form-data; boundary={boundary}", lines + b"--%b--\r\n" % boundary.encode()


def files(*pictures):
    """A form with files 0.png, 1.png and so on."""
    return form(*((f'name="file"; filename="{n}.png"', data) for n, data in enumerate(pictures)))


class Running:
    """A server that runs."""

    def __init__(self, process, host, port):
        self.process, self.host, self.port = process, host, port

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of an answer, JSON parsed."""
        connection = self.connection()
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.headers.get_content_type() == "application/json" and content:
            content = json.loads(content)
        return response.status, response.headers, content

    def predict(self, body, kind="image/png", path="/predict"):
        status, _, content = self.ask("POST", path, body, {"Content-Type": kind})
        return status, content

    def infer(self, request, path="/v2/models/trackbed/infer", **headers):
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        status, _, content = self.ask("POST", path, body, headers)
        return status, content

    def raw(self, data, wait=5.0):
        """What comes back on a connection of its own until the server closes it, or in time."""
        with socket.create_connection((self.host, self.port), timeout=wait) as connection:
            connection.sendall(data)
            return self.rest(connection)

    @staticmethod
    def rest(connection):
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return received

    def measure(self, name):
        """The sum of a measure of /metrics over its labels."""
        text = self.ask("GET", "/metrics")[2].decode()
        found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, flags=re.MULTILINE)
        return sum(map(float, found))


def command(folder, *arguments):
    return [sys.executable, "-m", "trackbed", "serve", str(folder), *map(str, arguments)]


@contextmanager
def running(folder, *arguments, host="127.0.0.1", **environment):
    """Serve a folder at a free port until the block ends."""
    process = subprocess.Popen(
        command(folder, "--port", 0, "--host", host, *arguments),
        cwd=STAGES,
        env=os.environ | {"PYTHONPATH": str(STAGES)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        while not lines or not lines[-1].startswith("serving at "):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line)
        port = int(re.search(r":(\d+)/ ", lines[-1])[1])
        server = Running(process, host, port)
        server.lines = lines
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        server_output, server_errors = process.communicate(timeout=60)
        print(server_output, server_errors, file=sys.stderr)  # pytest shows it if a test fails
