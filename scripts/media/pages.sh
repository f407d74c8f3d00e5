#!/usr/bin/env bash
# A player and an encoder for the browser, npm's @moq/watch and @moq/publish, on
# pages at a port of this machine, until it is interrupted. Prints the addresses for
# what stream.sh publishes with -packaging hang, and for a camera.
#
#   scripts/media/pages.sh [PORT]        default 8081; needs node and npm
. "$(dirname "$0")/settings.bash"

port=${1:-8081}
for command in node npm; do
  command -v $command > /dev/null || {
    echo "pages.sh: $command is missing; install it with \"apt install nodejs npm\" or \"brew install node\"." >&2
    exit 1
  }
done
browser=$root/scripts/browser
if ! cmp -s "$browser/package-lock.json" "$browser/node_modules/.installed"; then
  (cd "$browser" && npm ci --ignore-scripts --no-audit --no-fund)
  cp "$browser/package-lock.json" "$browser/node_modules/.installed"
fi
# The pages ask the relay's HTTP side for the certificate's hash.
relay=$(echo "$MEDIA_URL" | sed 's/^https/http/')
echo "Player:  http://127.0.0.1:$port/watch?reload=false&name=$MEDIA_NAMESPACE&url=$relay"
echo "Encoder: http://127.0.0.1:$port/publish?source=camera&name=$MEDIA_NAMESPACE&url=$relay"
exec node "$browser/pages.mjs" "$root/_build/pages" "$port"
