# `trackbed serve` with the locked packages; the exported model is mounted at /model.
# docker build -t trackbed-serve .
# docker run --read-only --cap-drop ALL -p 127.0.0.1:8000:8000 -v "$PWD/exported:/model:ro" trackbed-serve
FROM python:3.11-slim-bookworm AS packages
COPY requirements-serve.lock /tmp/
RUN python -m venv /opt/trackbed \
    && /opt/trackbed/bin/python -m pip install --no-cache-dir --only-binary :all: \
       --require-hashes --requirement /tmp/requirements-serve.lock

FROM python:3.11-slim-bookworm
COPY --from=packages /opt/trackbed /opt/trackbed
COPY pyproject.toml /opt/code/
COPY stages/trackbed /opt/code/stages/trackbed
RUN /opt/trackbed/bin/python -m compileall -q /opt/code/stages/trackbed
ENV PATH=/opt/trackbed/bin:$PATH \
    PYTHONPATH=/opt/code/stages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=4)"]
ENTRYPOINT ["python", "-m", "trackbed", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]
