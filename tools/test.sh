#!/usr/bin/env bash
# Sets everything up, checks the code (python -m tools.checks), runs the tests.
#   tools/test.sh          the quick tests
#   tools/test.sh --all    the slow ones too (what CI runs)
# Other arguments go to pytest, for example: tools/test.sh tests/ops -x
# Test files are dealt to as many processes as there are cores, at most four:
# most of a test is one thread that traces graphs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="$(bash tools/setup.sh)"

select=(-m 'not slow')
arguments=()
for argument in "$@"; do
  if [[ "$argument" == --all ]]; then select=(); else
    arguments+=("$argument")
  fi
done

failed=0
"$python" -m tools.checks || failed=1
"$python" -m pytest -c tests/pytest.ini --rootdir=. \
  --numprocesses=auto --maxprocesses=4 --dist=loadfile \
  --no-loadscope-reorder "${select[@]}" "${arguments[@]}" || failed=1
exit "$failed"
