#!/usr/bin/env bash
# Packs build/release into dist/lakemill-VERSION-linux-ARCH.tar.gz.
# usage: tools/dist.sh
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -nE 's/^project\(lakemill VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
name=lakemill-$version-linux-$(uname -m)
staged=build/dist/$name
rm -rf build/dist
cmake --install build/release --strip --prefix "$staged" >/dev/null

# Libraries that not every Linux has go along; their licences are those of their packages.
mkdir -p "$staged/lib/lakemill"
ldd "$staged/bin/lakemill" | awk '/=> \// {print $3}' |
  grep -vE '/lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so' | while read -r library; do
    cp -L "$library" "$staged/lib/lakemill/"
    # By its name: /lib is /usr/lib, and packages know it as either.
    package=$(dpkg-query -S "*/$(basename "$(realpath "$library")")" | head -n 1 | cut -d: -f1)
    cp "/usr/share/doc/$package/copyright" "$staged/share/doc/lakemill/licences/$package"
  done

mkdir -p dist
tar --sort=name --owner=0 --group=0 --numeric-owner \
  "--mtime=@$(git log -1 --format=%ct)" -C build/dist -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz: $(du -h "dist/$name.tar.gz" | cut -f1)"
