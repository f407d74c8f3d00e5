#!/usr/bin/env bash
# Makes a certificate for servers, certs/certificate.pem, its private key,
# certs/certificate.key, and for web pages the 32 bytes of its SHA-256,
# certs/certificate_fingerprint.hex, whichever directory it is started in:
#
#   scripts/create-server-certs.sh [-dir DIRECTORY] [NAME or ADDRESS ...]
#
# -dir puts them into another directory.
# It is for localhost, 127.0.0.1, ::1, this machine's host name, and the names and
# addresses given. Exit code 1: it could not be written; 2: wrong usage.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if ! command -v go > /dev/null; then
  echo "create-server-certs.sh: go is not in the PATH, and Go 1.26 is needed to make a certificate." >&2
  exit 1
fi
# Built and not run by go run, which would replace the exit code.
program=$root/_build/create-server-certs
(cd "$root" && go build -o "$program" ./scripts/servercerts)
exec "$program" -dir "$root/certs" "$@"
