#!/usr/bin/env bash
# B. A relay for the other scripts, until it is interrupted.
#
#   scripts/media/relay.sh                       with the development certificate
#   scripts/media/relay.sh CERTIFICATE KEY       with one in files, such as the browser project's
. "$(dirname "$0")/settings.bash"

relay=$(program moqrelayserver)
case $# in
  0) exec "$relay" -port "$MEDIA_PORT" -endpoint /moq ;;
  2) exec "$relay" -port "$MEDIA_PORT" -endpoint /moq -cert "$1" -key "$2" ;;
  *) usage >&2; exit 2 ;;
esac
