#!/usr/bin/env bash
# H. Shows with ffplay, or writes to a file, what an encoder in the browser
# publishes, and says where to start one.
#
#   scripts/media/browser-encoder.sh [FILE [FLAG of moqflvreceiver...]]
. "$(dirname "$0")/settings.bash"

relay=$(echo "$MEDIA_URL" | sed 's/^https/http/')
echo "Open http://127.0.0.1:8081/publish?source=camera&name=$MEDIA_NAMESPACE&url=$relay (scripts/media/pages.sh serves it),"
echo "or http://localhost:8080/demo/encoder/?local&host=$MEDIA_URL of moq-encoder-player, namespace $MEDIA_NAMESPACE, an empty track name, and press Start."
here=$(dirname "$0")
if [ $# = 0 ]; then
  exec "$here/watch.sh"
fi
receiver=$(program moqflvreceiver)
out=$1
shift
exec "$receiver" -flv_outpath "$out" -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE" -retry "$@"
