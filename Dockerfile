FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/k8snetlint \
    && /opt/k8snetlint/bin/python -m pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
COPY --from=build /opt/k8snetlint /opt/k8snetlint
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/opt/k8snetlint/bin/k8snetlint"]
CMD ["--help"]
