#!/usr/bin/env bash
# Makes, in the user's cache folder, what the interop tests run on: a Python virtual
# environment with other readers and writers of Delta, and the jars that Spark needs for it.
# What is there already is not made again.
# usage: tools/test_env.sh [python|jars]   prints the interpreter, or the folder of the jars
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lakemill
requirements=$root/tests/requirements.txt
pom=$root/tests/interop/pom.xml

id_of() { cat "$@" | sha256sum | cut -c1-12; }
venv=$cache/venv-$( (python3 -c 'import sys; print(sys.version, sys.prefix)'; cat "$requirements") | id_of -)
jars=$cache/spark-jars-$(id_of "$pom")

make_venv() {
  [ -f "$venv/.complete" ] && return
  echo "making the Python environment of the tests" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --requirement "$requirements" >&2
  touch "$venv/.complete"
}

make_jars() {
  [ -f "$jars/.complete" ] && return
  command -v mvn >/dev/null || { echo "mvn is missing; run tools/install.sh test" >&2; exit 1; }
  echo "fetching the jars of Delta for Spark" >&2
  rm -rf "$jars"
  mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$jars" >&2
  touch "$jars/.complete"
}

mkdir -p "$cache"
exec 9>"$cache/test_env.lock"
flock 9
case ${1:-all} in
  python) make_venv; echo "$venv/bin/python" ;;
  jars) make_jars; echo "$jars" ;;
  all) make_venv; make_jars ;;
  *) sed -n '5s/^# //p' "$0" >&2; exit 2 ;;
esac
