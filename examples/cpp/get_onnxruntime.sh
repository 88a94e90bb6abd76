#!/usr/bin/env bash
# Puts ONNX Runtime's headers and library into a folder, from package registries alone:
#
#     examples/cpp/get_onnxruntime.sh build/onnxruntime [PYTHON]
#
# The library is that of the installed onnxruntime wheel of PYTHON (default: python3), linked, not
# copied. The wheel has no headers; they are Microsoft's own, out of an npm package that ships them
# for iOS (150 MB are fetched, 1 MB is kept). An API older than the library's is served by it.
# Where downloads are open, the release archive of ONNX Runtime has both: name its folders to CMake.
set -euo pipefail
folder=${1:?"expected a folder"}
python=${2:-python3}
headers=com.github.asus4.onnxruntime@0.4.9

library=$("$python" -c 'import glob, os, onnxruntime
print(*glob.glob(os.path.join(os.path.dirname(onnxruntime.__file__), "capi", "libonnxruntime.so.*")))')
[ -f "$library" ] || {
  echo "the onnxruntime of $python has no libonnxruntime.so; 1.31.1 has one" >&2
  exit 1
}
mkdir -p "$folder/include" "$folder/lib"
for name in libonnxruntime.so libonnxruntime.so.1; do ln -sf "$library" "$folder/lib/$name"; done

if [ ! -f "$folder/include/onnxruntime_cxx_api.h" ]; then
  download=$(mktemp -d)
  trap 'rm -rf "$download"' EXIT
  (cd "$download" && npm pack --silent "$headers" >/dev/null)
  tar -xzf "$download"/*.tgz -C "$download" --wildcards '*/ios-arm64/*/Headers/*.h'
  find "$download" -name '*.h' -exec cp {} "$folder/include/" \;
fi
echo "$folder: $(basename "$library") and the headers of API $(
  sed -n 's/^#define ORT_API_VERSION //p' "$folder/include/onnxruntime_c_api.h")"
