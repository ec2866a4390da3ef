FROM python:3.11-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/authsvc
ENV PATH=/opt/authsvc/bin:$PATH

# The packages first: this layer is kept until the lock changes.
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock

COPY LICENSE README.md pyproject.toml ./
COPY alembic alembic
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . && pip install --no-deps dist/*.whl


FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin authsvc
COPY --from=build /opt/authsvc /opt/authsvc
ENV PATH=/opt/authsvc/bin:$PATH PYTHONUNBUFFERED=1
# As numbers: Kubernetes' runAsNonRoot refuses a name, since it cannot see whether that is root.
USER 10001:10001
WORKDIR /
EXPOSE 8000

# No proxy: HTTP_PROXY in the container's environment would send even this request elsewhere.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
    "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=2)"]

CMD ["python", "-m", "authsvc", "serve", "--host", "0.0.0.0"]
