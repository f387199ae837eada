#!/usr/bin/env bash
# Makes, in the user's cache folder, what the interop tests run on: a Python virtual
# environment with other readers and writers of Delta, the jars that Spark needs for it, and
# sqlglot as source.
# What is there already is not made again.
# usage: tools/test_env.sh [python|env|jars|sqlglot]   makes all, or one; prints the
#        interpreter, the folder of the environment, that of the jars, or that of sqlglot
# They are found under the cache folder too: lakemill/test-env, delta-jars and sqlglot.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lakemill
requirements=$root/tests/requirements.txt
pom=$root/tests/interop/pom.xml
source_requirements=$root/tests/lineage/requirements.txt

id_of() { cat "$@" | sha256sum | cut -c1-12; }
venv=$cache/venv-$( (python3 -c 'import sys; print(sys.version, sys.prefix)'; cat "$requirements") | id_of -)
jars=$cache/delta-jars-$(id_of "$pom")
sqlglot=$cache/sqlglot-$(id_of "$source_requirements")

# A fixed name for what is in use; a folder of that name that somebody made by hand stays.
name_it() { if [ -L "$2" ] || [ ! -e "$2" ]; then ln -sfn "$1" "$2"; fi; }

make_venv() {
  [ -f "$venv/.complete" ] && return
  echo "making the Python environment of the tests" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --requirement "$requirements" >&2
  touch "$venv/.complete"
  name_it "$venv" "$cache/test-env"
}

make_jars() {
  [ -f "$jars/.complete" ] && return
  command -v mvn >/dev/null || { echo "mvn is missing; run tools/install.sh test" >&2; exit 1; }
  echo "fetching the jars of Delta for Spark" >&2
  rm -rf "$jars"
  mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$jars" >&2
  touch "$jars/.complete"
  name_it "$jars" "$cache/delta-jars"
}

make_sqlglot() {
  [ -f "$sqlglot/.complete" ] && return
  make_venv
  echo "fetching sqlglot and its tests" >&2
  rm -rf "$sqlglot"
  mkdir -p "$sqlglot"
  "$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --no-binary :all: --requirement "$source_requirements" --dest "$sqlglot" >&2
  tar -xzf "$sqlglot"/sqlglot-*.tar.gz -C "$sqlglot" --strip-components 1
  touch "$sqlglot/.complete"
  name_it "$sqlglot" "$cache/sqlglot"
}

mkdir -p "$cache"
exec 9>"$cache/test_env.lock"
flock 9
case ${1:-all} in
  python) make_venv; echo "$venv/bin/python" ;;
  env) make_venv; echo "$venv" ;;
  jars) make_jars; echo "$jars" ;;
  sqlglot) make_sqlglot; echo "$sqlglot" ;;
  all) make_venv; make_jars; make_sqlglot ;;
  *) sed -n '6,7s/^# //p' "$0" >&2; exit 2 ;;
esac
