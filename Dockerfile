# How to build, run and check this image: deploy/README.md.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What the locks name, checked by its hashes; the environment that leaves this stage holds no pip.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv build && python -m venv --without-pip /opt/ncr-exporter \
 && build/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt \
 && build/bin/pip --python /opt/ncr-exporter/bin/python install --quiet --no-compile \
      --require-hashes --only-binary :all: -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY ncr_exporter ncr_exporter
RUN build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
 && build/bin/pip --python /opt/ncr-exporter/bin/python install --quiet --no-compile \
      --no-deps --no-index dist/*.whl
# Only what the program needs goes on: no shell, no package manager, no second Python.
COPY tools/image_root.py ./
RUN /opt/ncr-exporter/bin/python image_root.py /opt/ncr-exporter /root-of-image \
 && install -d /root-of-image/etc/ncr-exporter /state/ncr-exporter \
 && install -d -m 1777 /root-of-image/tmp

FROM scratch
ARG PYTHON_VERSION
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="ncr-exporter" \
      org.opencontainers.image.description="Prometheus exporter for NAVER Cloud Container Registry" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/python:${PYTHON_VERSION}-slim"
COPY --from=build /root-of-image /
# The place for --storage.path: a volume mounted here takes its owner over.
COPY --from=build --chown=65532:65532 /state /var/lib
ENV PATH=/opt/ncr-exporter/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /etc/ncr-exporter
USER 65532:65532
EXPOSE 10627
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["ncr-exporter", "health"]
ENTRYPOINT ["ncr-exporter"]
