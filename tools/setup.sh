#!/usr/bin/env bash
# Makes the virtual environment when it is absent or incomplete, then prints
# the path of its Python. A second call is instant: a stamp file holds the hash
# of what was installed. EARSR_VENV overrides the location (.venv).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv="${EARSR_VENV:-$PWD/.venv}"
stamp="$venv/earsr_tf.stamp"
log="$venv/install.log"
sdk='ml-pipelines-sdk==1.16.0'  # pure Python; its metadata says Python < 3.11

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# A name may exist and still not run (pyenv shims), so each one is tried.
is_suitable() {
  "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
    >/dev/null 2>&1
}

wanted="$(cat requirements.txt constraints.txt | cksum) $sdk"
if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]] &&
    is_suitable "$venv/bin/python"; then
  printf '%s\n' "$venv/bin/python"
  exit 0
fi

if ! is_suitable "$venv/bin/python"; then
  python=''
  for candidate in python3.11 python3 python; do
    if is_suitable "$candidate"; then python="$candidate"; break; fi
  done
  [[ -n "$python" ]] || die "Python 3.11 is needed and neither python3.11 nor \
python3 is one; install it (for example: apt install python3.11-venv, or \
pyenv install 3.11) and run this again."
  say "making $venv with $("$python" --version 2>&1)"
  "$python" -m venv --clear "$venv" >/dev/null 2>&1 ||
    die "$python cannot make a virtual environment in $venv; install its venv \
module (for example: apt install python3.11-venv)."
fi

say 'installing packages (about 2 GB, one to three minutes) ...'
started=$SECONDS
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }
{
  pip install -c constraints.txt -r requirements.txt &&
    pip install --no-deps --ignore-requires-python "$sdk"
} >"$log" 2>&1 || {
  grep -i error "$log" | tail -n 3 >&2 || true
  die "installation failed; the whole story is in $log. Run this again once \
the cause (network, disk space) is gone."
}
printf '%s\n' "$wanted" >"$stamp"
say "done in $((SECONDS - started)) s"
printf '%s\n' "$venv/bin/python"
