#!/usr/bin/env bash
# F. Shows live what is published, with ffplay at the end of a fifo. Closing the
# window ends both.
#
#   scripts/media/watch.sh [FLAG of moqflvreceiver...]
. "$(dirname "$0")/settings.bash"

tool ffplay
receiver=$(program moqflvreceiver)
out=$MEDIA_DIR/fifo-out.flv
fifo "$out"
ffplay -hide_banner -loglevel warning -autoexit -fflags nobuffer -flags low_delay "$out" &
player=$!
trap 'kill $player 2> /dev/null || true' EXIT
"$receiver" -flv_outpath "$out" -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE" -retry "$@"
wait $player || true
trap - EXIT
