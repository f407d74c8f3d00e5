#!/usr/bin/env bash
# G. Publishes a live source in the packaging of a player in the browser, and says
# where to look.
#
#   scripts/media/browser-player.sh watch     npm's @moq/watch; needs scripts/media/pages.sh in another terminal
#   scripts/media/browser-player.sh player    the player of moq-encoder-player, from its own web server
. "$(dirname "$0")/settings.bash"

case ${1:-} in
  watch)
    packaging=hang
    echo "Open http://127.0.0.1:8081/watch?reload=false&name=$MEDIA_NAMESPACE&url=$(echo "$MEDIA_URL" | sed 's/^https/http/')"
    ;;
  player)
    packaging=loc
    echo "Open http://localhost:8080/demo/player/?local&host=$MEDIA_URL, namespace $MEDIA_NAMESPACE, an empty track name, and press Start."
    ;;
  *) usage >&2; exit 2 ;;
esac
here=$(dirname "$0")
"$here/source.sh" - | "$here/stream.sh" - -packaging "$packaging"
