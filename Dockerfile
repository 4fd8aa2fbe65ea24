# `trackbed serve` (the default) and `trackbed predict`, each with its locked packages alone. The
# exported model is mounted at /model, so that another one needs no other image.
# docker build -t trackbed-serve .
# docker run --read-only --cap-drop ALL -p 127.0.0.1:8000:8000 -v "$PWD/exported:/model:ro" trackbed-serve
# docker build --target predict -t trackbed-predict .
# docker run --rm --read-only --cap-drop ALL --network none -v "$PWD/exported:/model:ro" \
#     -v "$PWD/new:/pictures:ro" trackbed-predict /pictures > answers.csv
FROM python:3.11-slim-bookworm AS base
ENV PATH=/opt/trackbed/bin:$PATH \
    PYTHONPATH=/opt/code/stages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

FROM base AS predict-packages
RUN python -m venv /opt/trackbed
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements-predict.lock,target=/tmp/requirements.lock \
    python -m pip install --only-binary :all: --require-hashes --requirement /tmp/requirements.lock

FROM base AS serve-packages
RUN python -m venv /opt/trackbed
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements-serve.lock,target=/tmp/requirements.lock \
    python -m pip install --only-binary :all: --require-hashes --requirement /tmp/requirements.lock

FROM base AS code
COPY pyproject.toml /opt/code/
COPY stages/trackbed /opt/code/stages/trackbed
RUN python -m compileall -q /opt/code/stages/trackbed

FROM base AS predict
COPY --from=predict-packages /opt/trackbed /opt/trackbed
COPY --from=code /opt/code /opt/code
USER 65532:65532
ENTRYPOINT ["python", "-m", "trackbed", "predict", "--model", "/model"]

FROM base AS serve
COPY --from=serve-packages /opt/trackbed /opt/trackbed
COPY --from=code /opt/code /opt/code
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=4)"]
ENTRYPOINT ["python", "-m", "trackbed", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]
