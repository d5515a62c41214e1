#!/usr/bin/env bash
# Generates Sources/FedWire/Generated from the schemas.
#
#   Schemas/generate.sh            regenerate
#   Schemas/generate.sh --check    exit 1 when the committed code differs from the schemas
set -euo pipefail
cd "$(dirname "$0")/.."

target=Sources/FedWire/Generated
command -v protoc >/dev/null || {
    echo "error: protoc is not installed" >&2
    echo "hint: apt-get install protobuf-compiler" >&2
    exit 1
}
for plugin in protoc-gen-swift protoc-gen-grpc-swift-2; do
    swift build -c release --product "$plugin" >&2
done
binaries=$(swift build -c release --show-bin-path)

output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
protoc \
    --plugin=protoc-gen-swift="$binaries/protoc-gen-swift" \
    --plugin=protoc-gen-grpc-swift-2="$binaries/protoc-gen-grpc-swift-2" \
    -I Schemas \
    --swift_out="$output" --swift_opt=Visibility=Package,FileNaming=DropPath,UseAccessLevelOnImports=true \
    --grpc-swift-2_out="$output" \
    --grpc-swift-2_opt=Visibility=Package,FileNaming=DropPath,UseAccessLevelOnImports=true,Server=true,Client=true \
    Schemas/fed/v1/*.proto

if [[ "${1:-}" == "--check" ]]; then
    diff -ru "$target" "$output" || {
        echo "error: $target differs from the schemas" >&2
        echo "hint: run Schemas/generate.sh and commit the result" >&2
        exit 1
    }
else
    rm -rf "$target"
    mkdir -p "$target"
    cp "$output"/* "$target"/
fi
