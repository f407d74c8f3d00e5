# The three terminals of README.md, as they are written there but for the port and
# for "go run ./cmd/".
. "$(dirname "$0")/stage.bash"

mapfile -t terminals < <(sed -n '/^### Three terminals/,/^The third/s|^    go run \./cmd/||p' README.md)
[ "${#terminals[@]}" = 3 ] || fail "README.md shows ${#terminals[@]} terminals"
port=0
for i in 0 1 2; do
  # shellcheck disable=SC2086 # a command line
  MOQ_PORT=0 launch "terminal$i" ${terminals[$i]//4433/$port}
  [ "$i" = 0 ] && ready terminal0
  # Somebody who types has seen this before going on.
  [ "$i" = 1 ] && await 10 "the date is published" grep -q 'namespace published' "$SCRATCH/terminal1.err"
done
more terminal2 4
contiguous terminal2
lines terminal2 $((EPOCHSECONDS % 60 + 1)) || fail "the seconds so far are not all there"
say "${terminals[2]}: $(count terminal2) lines"

# In one command.
demo=$(sed -n '/^## Quick start/,/^### /s|^    go run \./cmd/\([^#]*\)#.*|\1|p' README.md)
[ -n "$demo" ] || fail "README.md does not show the demonstration"
# shellcheck disable=SC2086
MOQ_PORT=0 launch demo $demo
ready demo
launch viewer moqtextclient -connect_url "$url" -track_namespace moq-date -track_name date -count 3
finish viewer 0 10
contiguous viewer
