"""The description of the interface: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0"""

from __future__ import annotations

from typing import Any

from trackbed.serving.service import Service

JSON = "application/json"
BINARY = "application/octet-stream"
BYTES_SCHEMA = {"type": "string", "contentMediaType": BINARY}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
TEXT = {"type": "string"}

ERRORS = {
    "400": "the request is broken, empty, or does not follow the protocol",
    "401": "the token is missing or wrong",
    "404": "no such model or version",
    "408": "the body did not arrive in time",
    "413": "too many bytes or files",
    "415": "another Content-Type, or a compressed body",
    "422": "no picture could be used; `reason` says why",
    "503": "too much to do, or stopping; try again after the seconds of Retry-After",
}


def document(service: Service) -> dict[str, Any]:
    """The document for the limits and the token of a server."""
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "trackbed",
            "version": service.version,
            "description": "Classifies pictures with an exported model. Nothing is stored.",
        },
        "paths": {**_prediction_paths(service), **_protocol_paths(), **_other_paths()},
        "components": {"schemas": _schemas()},
    }
    if service.token is not None:
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def _prediction_paths(service: Service) -> dict[str, Any]:
    form = {
        "type": "object",
        "properties": {
            "file": {"type": "array", "maxItems": service.most_files, "items": BYTES_SCHEMA}
        },
    }
    limits = (
        f"At most {service.bodies.limit:,} bytes and {service.most_files:,} files. The content "
        "tells the format of a picture, not its name or type."
    )
    return {
        "/predict": {
            "post": {
                "operationId": "predict",
                "summary": "Classify one picture (the body) or several (a form)",
                "description": limits,
                "parameters": [
                    {
                        "name": "activation",
                        "in": "query",
                        "description": "true: also the class-activation map, where the model "
                        "has one",
                        "schema": {"type": "boolean", "default": False},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "image/*": {"schema": BYTES_SCHEMA},
                        BINARY: {"schema": BYTES_SCHEMA},
                        "multipart/form-data": {"schema": form},
                    },
                },
                "responses": {
                    "200": _json("One result per picture, in their order", "Predictions"),
                    **_errors("400", "401", "408", "413", "415", "422", "503"),
                },
            }
        }
    }


def _protocol_paths() -> dict[str, Any]:
    infer = {
        "operationId": "infer",
        "summary": "The outputs of the model for a tensor of pixels or of encoded pictures",
        "description": "Input `images`: UINT8 of shape [images, side, side, 3], or BYTES of shape "
        "[pictures] with encoded pictures (base64 in JSON). Binary tensors follow the JSON; "
        "Inference-Header-Content-Length is the length of the JSON.",
        "parameters": [
            {
                "name": "Inference-Header-Content-Length",
                "in": "header",
                "schema": {"type": "integer", "minimum": 0},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": _reference("InferRequest")}, BINARY: {}},
        },
        "responses": {
            "200": {
                "description": "The outputs",
                "content": {JSON: {"schema": _reference("InferResponse")}, BINARY: {}},
            },
            **_errors("400", "401", "404", "408", "413", "415", "422", "503"),
        },
    }
    model = "/v2/models/{name}"
    load = _get("load", "Load the model of the folder again", "Ready", "401", "404")
    load["responses"]["409"] = _json("It cannot be loaded; the old one goes on", "Error")
    live = _get("live", "Whether the server runs", "Any")
    ready = _get("ready", "Whether it takes requests", "Any", "503")
    version = f"{model}/versions/{{version}}"
    metadata = _get("modelVersion", "Inputs and outputs of the model", "Any", "401", "404")
    model_ready = _get("modelVersionReady", "Whether the model answers", "Ready", "401", "404")
    return {
        "/v2": {"get": _get("server", "Name, version and extensions of the server", "Any", "401")},
        "/v2/health/live": {"get": {**live, "security": []}},
        "/v2/health/ready": {"get": {**ready, "security": []}},
        model: _named(get=_get("model", "Inputs and outputs of the model", "Any", "401", "404")),
        f"{model}/ready": _named(
            get=_get("modelReady", "Whether the model answers", "Ready", "401", "404")
        ),
        f"{model}/infer": _named(post=infer),
        version: _named(get=metadata, version=True),
        f"{version}/ready": _named(get=model_ready, version=True),
        f"{version}/infer": _named(post={**infer, "operationId": "inferVersion"}, version=True),
        "/v2/repository/index": {"post": _get("index", "The list of models", "Any", "401")},
        "/v2/repository/models/{name}/load": _named(post=load),
    }


def _other_paths() -> dict[str, Any]:
    measures = {
        "operationId": "metrics",
        "summary": "Measures for Prometheus",
        "responses": {
            "200": {"description": "The measures", "content": {"text/plain": {"schema": TEXT}}},
            **_errors("401"),
        },
    }
    return {"/metrics": {"get": measures}}


def _named(version: bool = False, **operations: Any) -> dict[str, Any]:
    names = ["name", "version"] if version else ["name"]
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    return {"parameters": parameters, **operations}


def _get(identity: str, summary: str, schema: str, *errors: str) -> dict[str, Any]:
    responses = {"200": _json("As asked", schema), **_errors(*errors)}
    return {"operationId": identity, "summary": summary, "responses": responses}


def _json(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": _reference(schema)}}}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _json(ERRORS[status], "Error") for status in statuses}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Any]:
    rejected = _object({"reason": TEXT, "detail": TEXT}, ["reason", "detail"])
    result = _object(
        {
            "file": {"type": ["string", "null"], "description": "the name from the form"},
            "class": TEXT,
            "confidence": SHARE,
            "refused": {
                "type": ["boolean", "null"],
                "description": "below the refusal threshold; null where there is none",
            },
            "novelty": {
                "type": ["number", "null"],
                "minimum": 0,
                "maximum": 1,
                "description": "share of held-out images that are nearer to the training images",
            },
            "probabilities": {"type": "object", "additionalProperties": SHARE},
            "activation": {
                "type": ["array", "null"],
                "description": "rows of the class-activation map, 0 to 1, from top to bottom",
                "items": {"type": "array", "items": SHARE},
            },
            "rejected": rejected,
        },
        ["file"],
    )
    tensor = _object(
        {
            "name": TEXT,
            "datatype": TEXT,
            "shape": {"type": "array", "items": {"type": "integer"}},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        ["name", "datatype", "shape"],
    )
    wanted = _object({"name": TEXT, "parameters": {"type": "object"}}, ["name"])
    return {
        "Any": {},
        "Ready": _object({"name": TEXT, "version": TEXT}, ["name", "version"]),
        "Error": _object({"error": TEXT, "code": TEXT}, ["error", "code"]),
        "Predictions": _object(
            {"model": TEXT, "version": TEXT, "results": {"type": "array", "items": result}},
            ["model", "version", "results"],
        ),
        "InferRequest": _object(
            {
                "id": TEXT,
                "inputs": {"type": "array", "items": tensor},
                "outputs": {"type": "array", "items": wanted},
                "parameters": {"type": "object"},
            },
            ["inputs"],
        ),
        "InferResponse": _object(
            {
                "id": TEXT,
                "model_name": TEXT,
                "model_version": TEXT,
                "outputs": {"type": "array", "items": tensor},
            },
            ["model_name", "outputs"],
        ),
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}
