"""The Open Inference Protocol, version 2: health, metadata and `infer` below /v2.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trackbed.inference.exported_model import IMAGES, PROBABILITIES
from trackbed.pictures.rejections import Rejected
from trackbed.pipeline.errors import UserError
from trackbed.serving import refusals, tensor_answers, tensors
from trackbed.serving.refusals import Refused
from trackbed.serving.served_model import CLASS, ServedModel
from trackbed.serving.service import Service
from trackbed.serving.work_queue import MOST_AT_ONCE

EXTENSIONS = ["binary_tensor_data", "classification", "model_repository"]
HEADER_LENGTH = "Inference-Header-Content-Length"
CHUNK = MOST_AT_ONCE  # images of one job; a model was tried with no larger batch
JSON_TYPES = ("application/json", "application/octet-stream", "")
# Longer JSON is read in a thread.
SHORT_JSON = 2**16  # bytes


def routes(service: Service) -> list[Route]:
    """The routes below /v2."""
    model = "/v2/models/{name}"
    return [
        Route("/v2", server_metadata(service), name="server"),
        Route("/v2/", server_metadata(service), name="server"),
        Route("/v2/health/live", live, name="live"),
        Route("/v2/health/ready", ready(service), name="ready"),
        *[
            route
            for path in (model, f"{model}/versions/{{version}}")
            for route in (
                Route(path, model_metadata(service), name="model"),
                Route(f"{path}/ready", model_ready(service), name="model_ready"),
                Route(f"{path}/infer", infer(service), methods=["POST"], name="infer"),
            )
        ],
        Route("/v2/repository/index", index(service), methods=["POST"], name="index"),
        Route("/v2/repository/models/{name}/load", load(service), methods=["POST"], name="reload"),
    ]


async def live(request: Request) -> Response:
    """Whether the server runs."""
    return JSONResponse({"live": True})


def ready(service: Service) -> Callable:
    """Whether it takes requests."""

    async def answer(request: Request) -> Response:
        if service.is_stopping:
            raise refusals.stopping()
        return JSONResponse({"ready": True})

    return answer


def server_metadata(service: Service) -> Callable:
    """Name, version and extensions of the server."""

    async def answer(request: Request) -> Response:
        return JSONResponse(
            {"name": "trackbed", "version": service.version, "extensions": EXTENSIONS}
        )

    return answer


def model_metadata(service: Service) -> Callable:
    """Inputs and outputs of the model."""

    async def answer(request: Request) -> Response:
        model = _named(service, request)
        image = [-1, model.side, model.side, 3]
        return JSONResponse(
            {
                "name": service.name,
                "versions": [model.version],
                "platform": "onnxruntime_onnx",
                "inputs": [{"name": IMAGES, "datatype": tensors.UINT8, "shape": image}],
                "outputs": [
                    {"name": name, "datatype": kind, "shape": shape}
                    for name, kind, shape in model.outputs_offered
                ],
                "parameters": model.facts,
            }
        )

    return answer


def model_ready(service: Service) -> Callable:
    """Whether the model answers."""

    async def answer(request: Request) -> Response:
        model = _named(service, request)
        return JSONResponse({"name": service.name, "version": model.version, "ready": True})

    return answer


def index(service: Service) -> Callable:
    """The list of models, which is one."""

    async def answer(request: Request) -> Response:
        version = service.slot.current.version
        return JSONResponse([{"name": service.name, "version": version, "state": "READY"}])

    return answer


def load(service: Service) -> Callable:
    """Load the model of the folder again."""

    async def answer(request: Request) -> Response:
        _check_name(service, request)
        try:
            model = await service.slot.reload()
        except UserError as error:
            raise Refused(
                409,
                refusals.RELOAD_FAILED,
                f"{error} The model that was loaded goes on.",
                version=service.slot.current.version,
            ) from None
        return JSONResponse({"name": service.name, "version": model.version, "state": "READY"})

    return answer


def infer(service: Service) -> Callable:
    """The outputs of the model for images or encoded pictures."""

    async def answer(request: Request) -> Response:
        model = _named(service, request)
        _check_type(request)
        service.queue.refuse_if_full()
        with service.bodies.reservation() as reservation:
            body = await service.bodies.whole(request, reservation)
            header_length = request.headers.get(HEADER_LENGTH)
            offered = [name for name, _, _ in model.outputs_offered]
            reading = partial(tensors.read, body, header_length, IMAGES, model.side, offered)
            short = len(body) <= SHORT_JSON or header_length is not None
            wanted = reading() if short else await run_in_threadpool(reading)
            arrays = await _outputs(service, request, model, wanted)
        head = {"model_name": service.name, "model_version": model.version}
        if wanted.id is not None:
            head["id"] = wanted.id
        content, length = tensor_answers.answer(head, arrays)
        if length is None:
            return Response(content, media_type="application/json")
        headers = {HEADER_LENGTH: str(length)}
        return Response(content, headers=headers, media_type="application/octet-stream")

    return answer


async def _outputs(
    service: Service, request: Request, model: ServedModel, wanted: tensors.Inference
) -> list[tuple[tensors.Output, np.ndarray]]:
    """The wanted outputs for all images of a request."""
    names = list(dict.fromkeys([PROBABILITIES, *(one.name for one in wanted.outputs)]))
    names = [name for name in names if name != CLASS]
    if wanted.images is None:
        if len(wanted.pictures) > service.most_files:
            raise Refused(
                413,
                refusals.TOO_MANY_FILES,
                f"{len(wanted.pictures):,} pictures, at most {service.most_files:,} are allowed "
                "(--max-files).",
                limit=service.most_files,
            )
        job, values = partial(_each, model.picture_outputs, names), wanted.pictures
    else:
        starts = range(0, len(wanted.images), CHUNK)
        values = [wanted.images[start : start + CHUNK] for start in starts]
        job = partial(_each, model.image_outputs, names)
    results = await service.queue.run(request, job, values)
    _refuse_rejected(results)
    arrays = {
        name: np.concatenate([parts[place] for parts in results])
        for place, name in enumerate(names)
    }
    return [(one, _array(one, arrays, model)) for one in wanted.outputs]


def _each(function: Callable, names: list[str], values: list) -> list:
    return [function(value, names) for value in values]


def _refuse_rejected(results: Sequence) -> None:
    for number, result in enumerate(results):
        if isinstance(result, Rejected):
            facts = {"reason": result.reason, "detail": result.detail, "picture": number}
            raise Refused(422, refusals.REJECTED, f"Picture {number}: {result}.", **facts)


def _array(wanted: tensors.Output, arrays: dict[str, np.ndarray], model: ServedModel) -> np.ndarray:
    probabilities = arrays[PROBABILITIES]
    if wanted.best:
        return tensor_answers.best_classes(probabilities, model.classes, wanted.best)
    if wanted.name == CLASS:
        return np.array(model.classes, dtype=str)[probabilities.argmax(axis=1)]
    return arrays[wanted.name]


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in JSON_TYPES:
        raise Refused(
            415,
            refusals.UNSUPPORTED_TYPE,
            "The Content-Type of infer is application/json, or application/octet-stream with "
            f"{HEADER_LENGTH}.",
        )


def _check_name(service: Service, request: Request) -> None:
    if request.path_params["name"] != service.name:
        raise Refused(
            404, refusals.UNKNOWN_MODEL, f"There is no such model; the model is {service.name!r}."
        )


def _named(service: Service, request: Request) -> ServedModel:
    """The model that a path names. Raises Refused (404) for another name or version."""
    _check_name(service, request)
    model = service.slot.current
    if request.path_params.get("version", model.version) != model.version:
        raise Refused(
            404, refusals.UNKNOWN_MODEL, f"There is no such version; it is {model.version!r}."
        )
    return model
