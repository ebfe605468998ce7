#!/usr/bin/env bash
# Sets everything up and runs the whole road on embedded data: the picture is
# demo/result.png. Arguments go to `python -m pipelines.run`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="$(bash tools/setup.sh)"
exec "$python" -m pipelines.run --preset=demo "$@"
