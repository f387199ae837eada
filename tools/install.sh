#!/usr/bin/env bash
# Installs from Debian what a build and its tests need and this machine lacks.
# usage: tools/install.sh build|test
set -euo pipefail
build=(build-essential ninja-build cmake ccache mold pkg-config python3 python3-pip python3-venv
  golang-1.19-go libyaml-cpp-dev nlohmann-json3-dev libroaring-dev libssl-dev
  libreadline-dev libcli11-dev)
test=(libgtest-dev libgmock-dev)
packages=("${build[@]}")
[ "${1:-build}" = test ] && packages+=("${test[@]}")
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
"${sudo[@]}" apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
