#!/usr/bin/env bash
# Builds every command into _build/bin, with the version that git knows, and links
# the names that moxygen has for them.
set -euo pipefail
cd "$(dirname "$0")"

# What moxygen calls a program, and what it is called here. Those that are not
# listed have the same name. A link is made where the program exists.
names="
moqflvstreamerclient moqflvstreamer
moqflvreceiverclient moqflvreceiver
moq_interop_client   moqinterop
moqtest_server       moqtest
moqtest_client       moqtest
"

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
while read -r theirs ours; do
  [ -n "$theirs" ] || continue
  rm -f "_build/bin/$theirs"
  if [ -d "cmd/$ours" ]; then
    ln -s "$ours" "_build/bin/$theirs"
    echo "_build/bin/$theirs -> $ours"
  fi
done <<< "$names"
