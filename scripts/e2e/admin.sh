# The admin API of a relay that works: its state, metrics and events; a viewer that
# is kicked and hears why, a track that is purged, a relay that drains; what takes a
# token or another name is refused; and who may open the socket.
# needs: curl=curl jq=jq
. "$(dirname "$0")/stage.bash"

# api METHOD PATH [CURL'S ARGUMENTS...] asks at the socket; body and status are kept.
api() {
  local method=$1 path=$2
  shift 2
  status=$(curl -s -m 20 -o "$SCRATCH/body" -w '%{http_code}' -X "$method" --unix-socket "$socket" "$@" "http://relay$path")
}

# web METHOD PATH [CURL'S ARGUMENTS...] asks at the TCP address.
web() {
  local method=$1 path=$2
  shift 2
  status=$(curl -s -m 20 -o "$SCRATCH/body" -w '%{http_code}' -X "$method" "$@" "$web$path")
}

# expect STATUS [CODE] checks the last answer.
expect() {
  [ "$status" = "$1" ] || fail "status $status, not $1: $(head -c 300 "$SCRATCH/body")"
  [ -z "${2:-}" ] || [ "$(jq -r .code "$SCRATCH/body")" = "$2" ] || fail "not $2: $(head -c 300 "$SCRATCH/body")"
}

# state FILTER succeeds if jq finds the state so.
state() { api GET /v1/state && jq -e "$1" "$SCRATCH/body" > /dev/null; }
field() { jq -r "$1" "$SCRATCH/body"; }

# where sets socket and web to the addresses of a relay.
where() {
  socket=$(sed -n 's/^The admin API is at unix:\(.*\)\.$/\1/p' "$SCRATCH/$1.err" | tail -n 1)
  web=$(sed -n 's/^The admin API is at \(http.*\)\.$/\1/p' "$SCRATCH/$1.err" | tail -n 1)
}

launch relay moqrelayserver -port 0 -admin auto,0 -name eu-1 -drain 1
ready relay
where relay
[ "$(stat -c '%A %a' "$socket")" = "srw------- 600" ] || fail "others may open the socket: $(stat -c %A "$socket")"
[ "$(stat -c '%a' "$(dirname "$socket")")" = 700 ] || fail "others may look for the socket"
launch date moqdateserver -nolisten -utc -relay_url "$url"
launch viewer moqtextclient -connect_url "$url" -track_namespace moq-date -track_name date -retry -rendezvous_timeout 5000
more viewer 2

# What the relay says is what happens.
await 20 "the state shows the track" state '.tracks[0] | .subscribers == 1 and .counters.objects_out > 0'
[ "$(field '.relay.name, .tracks[0].full_name, .tracks[0].state' | paste -sd' ')" = "eu-1 moq.2ddate--date live" ] || fail "the state: $(head -c 300 "$SCRATCH/body")"
[ "$(field '[.sessions[].role] | sort | join(" ")')" = "pub sub" ] || fail "the sessions: $(head -c 300 "$SCRATCH/body")"
track=$(field '.tracks[0].id')
kicked=$(field '.sessions[] | select(.role == "sub") | .id')
api GET "/v1/tracks/$track"
expect 200
jq -e '.groups[-1].objects > 0 and any(.objects[]; .peek | @base64d | test("^[0-9]+$")) and .subscriptions[0].state == "served"' "$SCRATCH/body" > /dev/null ||
  fail "the track: $(head -c 300 "$SCRATCH/body")"
api GET /state
[ "$(field '.services.default.subscriptions[0] | .track_name + " " + (.subscribers | tostring)')" = "date 1" ] || fail "the shape of moqx: $(head -c 300 "$SCRATCH/body")"
api GET /v1/tracks/none
expect 404 no_track
for path in / /healthz /readyz /openapi.json; do
  api GET $path
  expect 200
done

api GET /metrics
expect 200
sent=$(sed -n 's/^oxymoq_track_sent_bytes_total{scope="",track="moq.2ddate--date"} //p' "$SCRATCH/body")
[ "${sent%%.*}" -gt 0 ] || fail "nothing was sent: $(grep track_sent "$SCRATCH/body")"
grep -q '^oxymoq_open_sessions{draft="18",role="sub",transport="quic"} 1$' "$SCRATCH/body" || fail "$(grep sessions "$SCRATCH/body")"
say "state, track and metrics agree: $sent bytes sent"

# A name that is not this machine's, another origin and too small a scope change nothing.
web GET /v1/state
expect 200
web GET /v1/state -H 'Host: attacker.example'
expect 421 host
web POST "/v1/tracks/$track/purge"
expect 403 scope
web GET /debug/pprof/heap
expect 403 scope
web POST "/v1/tracks/$track/purge" -H 'Sec-Fetch-Site: cross-site'
expect 403 cross_origin
api POST "/v1/tracks/$track/purge" -H 'Origin: https://attacker.example'
expect 403 cross_origin
api DELETE /v1/state
expect 405 method

# The log is made to say more, as long as that is wanted.
api PUT /v1/log-level -d '{"level":"LOUD"}'
expect 400 level
api PUT /v1/log-level -d '{"level":"DBG"}'
expect 200

# Who is kicked hears why, and comes back if he wants to.
curl -sN --unix-socket "$socket" -H 'Accept: application/x-ndjson' http://relay/v1/events > "$SCRATCH/events.out" &
api POST "/v1/sessions/$kicked/kick" -d '{"reason":"too loud for this relay"}'
expect 204
await 20 "the viewer hears why" said viewer 'too loud for this relay'
await 20 "the event comes" grep -q '"text":"session kicked"' "$SCRATCH/events.out"
jq -es 'map(.number) == [range(1; length + 1)]' "$SCRATCH/events.out" > /dev/null || fail "the numbers of events: $(jq -c .number "$SCRATCH/events.out")"
api POST "/v1/sessions/$kicked/kick"
expect 404 no_session
more viewer 1 30
hears relay ' DBG .*subscribed' 1 || fail "the log does not say more"
api PUT /v1/log-level -d '{"level":"INFO"}'
expect 200

# A track that is purged holds nothing, and goes on.
api POST "/v1/tracks/$track/purge"
expect 204
api GET "/v1/tracks/$track"
[ "$(field .counters.purged)" -gt 0 ] || fail "nothing was purged: $(head -c 300 "$SCRATCH/body")"
more viewer 2

# With tokens nobody may do more than his token grants.
(umask 077; printf 'read %s\ncontrol %s\n' reading-0123456789 control-0123456789 > "$SCRATCH/tokens")
launch guarded moqrelayserver -port 0 -admin 127.0.0.1:0 -admin_token "$SCRATCH/tokens"
ready guarded
where guarded
[ -z "$socket" ] || fail "there is a socket that nobody asked for"
web GET /v1/state
expect 401 token
web GET /v1/state -H 'Authorization: Bearer nonsense'
expect 401 token
web GET /v1/state -H 'Authorization: Bearer reading-0123456789'
expect 200
web POST /v1/drain -H 'Authorization: Bearer reading-0123456789'
expect 403 scope
web GET /healthz
expect 200
web POST /v1/drain -H 'Authorization: Bearer control-0123456789' -d '{"within":"5s"}'
expect 204
web GET /readyz
expect 503 draining
kill -TERM "${pid[guarded]}"
finish guarded 0 10
refused 2 'others can reach that address' moqrelayserver -port 0 -admin :0

# A relay that drains takes no new peers, and says when all have left.
where relay
launch drain curl -s -m 60 -w '%{http_code}' --unix-socket "$socket" -d '{"within":"50s"}' http://relay/v1/drain
draining() { api GET /readyz && [ "$status" = 503 ] && expect 503 draining; }
await 20 "the relay drains" draining
kill -TERM "${pid[viewer]}" "${pid[date]}"
finish viewer 0 10
finish date 0 10
finish drain 0 20
[ "$(cat "$SCRATCH/drain.out")" = 204 ] || fail "the drain: $(cat "$SCRATCH/drain.out")"
state '.relay.draining and .sessions == []' || fail "somebody stayed: $(field '.sessions')"
await 20 "the end is told" grep -q '"text":"drained"' "$SCRATCH/events.out"
kill -TERM "${pid[relay]}"
finish relay 0 10
[ ! -e "$socket" ] || fail "the socket is still there"

# The socket of a relay that was killed is in nobody's way, that of one that lives is.
launch first moqrelayserver -port 0
ready first
where first
strike first
[ -S "$socket" ] || fail "the socket is gone"
launch second moqrelayserver -port "$port"
ready second
where second
state '.relay.draining | not' || fail "the second relay does not answer"
launch third moqrelayserver -port 0 -admin "unix:$socket"
finish third 1 20
hears third 'another program answers at' 1 || fail "the third relay does not say why it ends"
state '.relay.draining | not' || fail "the second relay answers no more"
