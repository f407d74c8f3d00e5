#!/usr/bin/env bash
# D. Publishes FLV through the relay: what source.sh writes into its fifo, or
# something else, with any flags of moqflvstreamer after it.
#
#   scripts/media/stream.sh [FIFO or FILE or -] [FLAG...]
. "$(dirname "$0")/settings.bash"

streamer=$(program moqflvstreamer)
in=${1:-$MEDIA_DIR/fifo.flv}
if [ $# -gt 0 ]; then shift; else fifo "$in"; fi
exec "$streamer" -input_flv_file "$in" -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE" "$@"
