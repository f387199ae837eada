#!/usr/bin/env bash
# Installs from Debian what is to be done and this machine lacks.
# usage: tools/install.sh build|cdc|test|edit
#   build  what the binary needs
#   cdc    that, and the server of `make demo-cdc`
#   test   that, and what all tests need
#   edit   that, and what `make format` and `make tidy` need
set -euo pipefail
packages=(build-essential ninja-build cmake ccache mold pkg-config
  python3 python3-pip python3-venv golang-1.19-go
  libyaml-cpp-dev nlohmann-json3-dev libroaring-dev libssl-dev libcurl4-openssl-dev libedit-dev libcli11-dev libpq-dev libargon2-dev tzdata)
case ${1:-build} in
  build) ;;
  cdc) packages+=(postgresql-15) ;;
  test) packages+=(libgtest-dev libgmock-dev postgresql-15 openjdk-17-jre-headless maven chromium)
    # A Node that comes from elsewhere has its own npm, which Debian's would displace.
    command -v npm >/dev/null || packages+=(nodejs npm) ;;
  edit) packages+=(libgtest-dev libgmock-dev clang-format clang-tidy) ;;
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "as root, run: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }
quietly "${sudo[@]}" apt-get update -q
quietly "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}"
