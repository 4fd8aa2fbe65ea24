import json

from openapi_spec_validator import validate


def test_the_document_is_valid_openapi(server):
    document = server.ask("GET", "/openapi.json")[2]
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_described_and_exists(server):
    document = server.ask("GET", "/openapi.json")[2]
    version = "/v2/models/{name}/versions/{version}"
    assert {"/predict", "/metrics", "/v2", version, f"{version}/ready"} <= set(document["paths"])
    for path, operations in document["paths"].items():
        version = server.ask("GET", "/v2/models/trackbed")[2]["versions"][0]
        asked = path.replace("{name}", "trackbed").replace("{version}", version)
        for method in {"get", "post"} & set(operations):
            status = server.ask(method.upper(), asked)[0]
            assert str(status) in operations[method]["responses"], path


def test_answers_follow_their_schema(server):
    from jsonschema import Draft202012Validator
    from served import picture

    document = server.ask("GET", "/openapi.json")[2]
    for body, status in ((picture(), 200), (b"rubbish", 422)):
        found, content = server.predict(body, path="/predict?activation=true")
        operation = document["paths"]["/predict"]["post"]
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        assert found == status
        whole = json.loads(json.dumps(document["components"]).replace("#/components", "#"))
        whole |= {"$ref": schema["$ref"].replace("#/components", "#")}
        Draft202012Validator(whole).validate(content)


def test_the_document_names_what_needs_the_token(model_folder):
    from served import running

    with running(model_folder, TRACKBED_TOKEN="s3cret-s3cret") as server:
        document = server.ask("GET", "/openapi.json")[2]
        for path, operations in document["paths"].items():
            for method in {"get", "post"} & set(operations):
                needed = operations[method].get("security", document["security"]) != []
                asked = path.replace("{name}", "trackbed").replace("{version}", "1")
                assert (server.ask(method.upper(), asked)[0] == 401) == needed, path
