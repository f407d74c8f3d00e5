#!/usr/bin/env bash
# Builds every command into _build/bin, with the version that git knows.
set -euo pipefail
cd "$(dirname "$0")"

version=$(git describe --tags --always --dirty 2>/dev/null || echo devel)
mkdir -p _build/bin
commands=$(go list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./cmd/... 2>/dev/null)
if [ -z "$commands" ]; then
  echo "build.sh: there is no command below cmd/ yet."
  exit 0
fi
# shellcheck disable=SC2086 # one word per command
go build -trimpath -buildvcs=false -ldflags "-X oxymoq/internal/cli.version=$version" -o _build/bin/ $commands
for c in $commands; do
  echo "_build/bin/${c##*/}"
done
