"""`POST /predict`: pictures in, answers out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trackbed.pictures.file_names import printable
from trackbed.serving import refusals
from trackbed.serving.refusals import Refused
from trackbed.serving.request_body import Reservation
from trackbed.serving.service import Service
from trackbed.serving.uploads import FormReader, Upload

FORM = "multipart/form-data"
# What `activation` may be.
TRUE, FALSE = {"1", "true", "yes", "on", ""}, {"0", "false", "no", "off"}


def routes(service: Service) -> list[Route]:
    """The route of predictions."""
    return [Route("/predict", predict(service), methods=["POST"], name="predict")]


def predict(service: Service) -> Callable:
    """The answers for the picture of the body, or for the files of a form."""

    async def answer(request: Request) -> Response:
        with_map = _flag(request, "activation")
        service.queue.refuse_if_full()
        with service.bodies.reservation() as reservation:
            uploads = await _uploads(service, request, reservation)
            model = service.slot.current
            # Requests for the same job share a batch.
            job = partial(model.answers, with_maps=True) if with_map else model.answers
            found = await service.queue.run(request, job, [upload.data for upload in uploads])
        results = [
            {"file": upload.name and printable(upload.name), **result}
            for upload, result in zip(uploads, found, strict=True)
        ]
        _count(service, results)
        content = {"model": service.name, "version": model.version, "results": results}
        rejected = [result for result in results if "rejected" in result]
        if len(rejected) < len(results):
            return JSONResponse(content)
        first = rejected[0]["rejected"]
        message = f"{first['reason']}: {first['detail']}" if first["detail"] else first["reason"]
        if len(rejected) > 1:
            message = f"All {len(rejected)} pictures were rejected; the first: {message}"
        raise Refused(422, refusals.REJECTED, message, **first, **content)

    return answer


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in TRUE | FALSE:
        raise Refused(400, refusals.BAD_REQUEST, f"The query parameter {name} is true or false.")
    return text in TRUE


async def _uploads(service: Service, request: Request, reservation: Reservation) -> list[Upload]:
    """The pictures of a request. Raises Refused."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        form = FormReader(content_type, service.most_files)
        async for chunk in service.bodies.chunks(request, reservation):
            form.write(chunk)
        return form.close()
    if kind.startswith("image/") or kind in ("application/octet-stream", ""):
        return [Upload(await service.bodies.whole(request, reservation))]
    raise Refused(
        415,
        refusals.UNSUPPORTED_TYPE,
        "Send the bytes of one picture with Content-Type image/... or application/octet-stream, "
        f"or several files as {FORM}.",
        {"Accept": f"image/*, application/octet-stream, {FORM}"},
    )


def _count(service: Service, results: list[dict[str, Any]]) -> None:
    monitoring = service.monitoring
    for result in results:
        if "rejected" in result:
            monitoring.rejects.labels(result["rejected"]["reason"]).inc()
            continue
        monitoring.pictures.labels(result["class"]).inc()
        monitoring.confidence.observe(result["confidence"])
        if result.get("refused"):
            monitoring.refused.inc()
        if result.get("novelty") is not None:
            monitoring.novelty.observe(result["novelty"])
