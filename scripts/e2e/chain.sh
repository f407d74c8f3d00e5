# Three relays in a chain and the date: from the first to the last and from the last
# to the first, by SUBSCRIBE and by PUBLISH, on links of another draft each; then the
# relay in the middle is killed and comes back.
# needs: curl=curl jq=jq
. "$(dirname "$0")/stage.bash"

launch first moqrelayserver -port 0 -admin "unix:$SCRATCH/first.sock"
ready first
first=$url
launch middle moqrelayserver -port 0 -upstream "$first" -versions 16,14
ready middle
middle=$url middle_port=$port
launch last moqrelayserver -port 0 -versions 14 -upstream "$middle" -admin "unix:$SCRATCH/last.sock"
ready last
last=$url

launch down moqdateserver -nolisten -utc -ns date/down -relay_url "$first"
launch up moqdateserver -nolisten -utc -ns date/up -relay_url "$last"
launch pushed moqdateserver -nolisten -utc -ns date/pushed -publish -relay_url "$first"

# state NAME shows what a relay tells of itself.
state() { curl -sS --unix-socket "$SCRATCH/$1.sock" http://relay/v1/state; }
shows() { state "$1" | jq -e "$2" > /dev/null; }
await 15 "the last relay knows of the date at the first" shows last '.links[0] | .state == "up" and .namespaces >= 1'
for link in "middle draft=16" "last draft=14"; do
  # shellcheck disable=SC2086 # a program and what it says
  hears ${link% *} "link up" 1 && hears ${link% *} "connected.* ${link#* } .*oxymoq-relay" 1 || fail "the link of $link"
done
await 15 "the first relay knows of the date at the last" shows first '[.namespaces[].name] | index("date-up") != null'

# In the first seconds of a minute there is nothing to catch up with.
middle() { [ "$((EPOCHSECONDS % 60))" -ge 4 ]; }
await 5 "the middle of a minute" middle
live=4 # lines that each viewer must see come
view() { launch "$1" moqtextclient -retry -count $((EPOCHSECONDS % 60 + 2 + live)) -connect_url "$2" -track_namespace "$3" -track_name date; }
view down-one "$last" date/down
view down-two "$last" date/down
view up-one "$first" date/up
view pushed-one "$last" date/pushed
for v in down-one down-two up-one pushed-one; do
  finish "$v" 0 90
  contiguous "$v"
  say "$v: $(count "$v") lines"
done

# One subscription per track and hop, however many viewers.
launch down-three moqtextclient -connect_url "$last" -track_namespace date/down -track_name date
launch down-four moqtextclient -connect_url "$last" -track_namespace date/down -track_name date
await 15 "two more viewers" lines down-four 2
await 15 "one link, one track" shows last '.links[0].tracks == 1 and ([.tracks[] | select(.name == "date" and .subscribers == 2)] | length) == 1'
await 15 "one subscriber at the first relay" shows first '[.tracks[] | select(.namespace == ["date", "down"] and .subscribers == 1)] | length == 1'

# The relay in the middle dies without a word and comes back on the same port.
strike middle
await 20 "the link is lost" shows last '.links[0].state != "up"'
launch middle moqrelayserver -port "$middle_port" -upstream "$first" -versions 16,14
await 30 "the link is back" shows last '.links[0] | .state == "up" and .sessions == 2'
more down-three 3 30
more down-four 3 30
contiguous down-three
running down-three || fail "a viewer did not survive"
say "after the loss of the relay in the middle: $(count down-three) lines"
