# The container of workers on a cluster: Beam's own image for Python 3.11 with the locked environment and this project.
# Build it where the repository lies:   make wheel && docker build -t IMAGE .
# The version of Beam is that of requirements.lock; a test compares them.
ARG BEAM_VERSION=2.77.0
FROM apache/beam_python3.11_sdk:${BEAM_VERSION}

# TensorFlow would tell of the machine in every worker's log.
ENV PYTHONDONTWRITEBYTECODE=1 TF_CPP_MIN_LOG_LEVEL=2

# First what seldom changes, so that a change of the project's code sends one small layer.
COPY requirements.lock /opt/drae/
RUN awk '/^[^ ]/ {keep = /^(packaging|setuptools|wheel)==/} keep' /opt/drae/requirements.lock > /opt/drae/build-tools.lock \
    && pip install --no-cache-dir --require-hashes -r /opt/drae/build-tools.lock \
    && pip install --no-cache-dir --require-hashes --no-build-isolation -r /opt/drae/requirements.lock

COPY dist/drae_line_dataset-*.whl /opt/drae/
RUN pip install --no-cache-dir --no-deps /opt/drae/drae_line_dataset-*.whl \
    && python -c "import pipelines.build_shards, pipelines.score_shards, pipelines.synthesize_strips"

# Beam's image starts its worker by itself: the entry point stays as it is.
