# Three targets: web (no torch), worker (CPU), worker-gpu. All start their programs through bin/start, as bin/up does.
#   docker build --target web .

FROM node:20-bookworm-slim AS javascript
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.11-slim-bookworm AS ground
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgdal32 libgeos-c1v5 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 glacierweb
WORKDIR /app
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN pip install --no-cache-dir -c requirements.lock . && rm -rf build *.egg-info
ENV PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=glacierweb.settings DATA_ROOT=/data STATIC_ROOT=/app/var/static BIND=0.0.0.0
RUN mkdir -p /data /app/var && chown -R glacierweb /data /app/var
VOLUME /data

FROM ground AS web
COPY --from=javascript /app/node_modules ./node_modules
COPY manage.py ./
COPY bin ./bin
COPY glacierweb ./glacierweb
COPY inventory ./inventory
COPY predictions ./predictions
COPY templates ./templates
COPY static ./static
# The web half knows the machine room's commands by name only; its science is not in this image.
COPY workers/__init__.py workers/apps.py ./workers/
RUN SECRET_KEY=only-while-building python manage.py collectstatic --noinput --verbosity 0
USER glacierweb
EXPOSE 8000
CMD ["bin/start", "web"]

FROM ground AS worker
# The package index's own torch carries CUDA, some gigabytes of it. Where an index with builds for the CPU alone is at
# hand, name it: docker build --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir -c requirements.lock '.[worker,monitor]' \
    && rm -rf build *.egg-info
COPY . .
USER glacierweb
CMD ["bin/start", "worker-io"]

FROM ground AS worker-gpu
# Needs the NVIDIA container runtime on the host.
RUN pip install --no-cache-dir -c requirements.lock '.[worker]' && rm -rf build *.egg-info
COPY . .
USER glacierweb
CMD ["bin/start", "worker-gpu"]
