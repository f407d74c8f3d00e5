# moqtop: the dashboard on a terminal, attached to a relay over its admin API and by
# MoQT. A track is opened and fills, the view is filtered, frozen and exported, a
# session kicked; the relay is killed and started again.
# needs: tmux=tmux
. "$(dirname "$0")/stage.bash"

export TERM=xterm-256color LANG=C.UTF-8
unset TMUX
launch relay moqrelayserver -port 0
ready relay
launch date moqdateserver -nolisten -utc -retry -relay_url "$url"
watch=(moqtextclient -connect_url "$url" -connect_timeout 10000 -rendezvous_timeout 10000 -track_namespace moq-date -track_name date)
launch viewer "${watch[@]}"
more viewer 1

# Terminals: the server stays in the foreground, so that it ends with the script.
launch tmux tmux -S "$SCRATCH/tmux.sock" -f /dev/null -D
terminal() { tmux -N -S "$SCRATCH/tmux.sock" "$@" 2> /dev/null; }
await 10 "tmux serves" terminal new-session -d -s first -x 20 -y 5 cat

# top NAME ARGUMENT... runs moqtop in a terminal of its own. Its exit code comes into
# a file.
top() {
  local name=$1
  shift
  terminal new-session -d -s "$name" -x 150 -y 36 -c "$SCRATCH" \
    "moqtop -ascii $* 2> '$SCRATCH/$name.log'; echo \$? > '$SCRATCH/$name.code'"
}
keys() { terminal send-keys -t "$@"; }
screen() { terminal capture-pane -p -t "$1"; }
shows() { screen "$1" | grep -q -E -- "$2"; }
# see NAME PATTERN waits until the screen has it, and shows the screen if it never does.
see() {
  local began=$SECONDS
  until shows "$1" "$2"; do
    [ $((SECONDS - began)) -lt 30 ] || { screen "$1"; cat "$SCRATCH/$1.log"; fail "$1 does not show '$2'"; }
    sleep 0.1
  done
}
left() { [ -s "$SCRATCH/$1.code" ]; }

# What is shown is what comes: received is how many objects of the open track came.
received() { screen moqt | sed -n 's/.*objects *\([0-9]*\) since.*/\1/p' | head -n 1; }
grown() { [ "$(received)" -gt "$1" ] 2> /dev/null; }

say "by MoQT"
top moqt "$url" -track moq-date/date
see moqt 'moq-date \. date +live +1 '
see moqt "attached $url"
keys moqt 3
see moqt 'moq-date +1 +s1'
keys moqt 2
see moqt 's1 .* quic .* pub '
keys moqt 1 Enter
see moqt 'groups, newest right: [0-9]+ cached'
see moqt 'objects +[0-9]+ since'
await 20 "the group fills" grown "$(received)"
keys moqt x
see moqt 'exported to '
grep -q '"full_name": "moq.2ddate--date"' "$SCRATCH"/oxymoq-track-*.json || fail "the export is not of the track"
keys moqt Left # Escape and a key that follows at once are one key to a terminal
see moqt '\[1 Tracks\]'
keys moqt / nothing Enter
see moqt 'nothing matches the filter'
keys moqt Left
see moqt '1 of 1'

say "over the admin API"
top admin
see admin "attached unix:$XDG_RUNTIME_DIR/oxymoq/relay-"
see admin 'moq-date \. date +live +2 '
keys admin Enter
see admin 'subscribers \(2\)'
keys admin Space
see admin '\* frozen'
frozen=$(screen admin | grep -E '[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}')
more viewer 3
[ "$(screen admin | grep -E '[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}')" = "$frozen" ] || fail "objects are added to a frozen view"
keys admin Space
see admin '\* live'

launch victim "${watch[@]}" -exit_on error
more victim 1
keys admin Left
keys admin 2
see admin 'oxymoq-text'
keys admin / oxymoq-text Enter
see admin '2 of [0-9]+'
keys admin End
keys admin K
see admin 'Kick session .*y yes'
keys admin y
see admin 'was kicked'
finish victim 1 20

say "the relay is killed"
own_port=$port
strike relay
keys admin Left
keys admin 1
see moqt '! stale'
see admin '! stale'
see admin 'does not answer'
launch relay moqrelayserver -port "$own_port"
ready relay
for name in moqt admin; do
  see "$name" '\* live'
  see "$name" 'moq-date \. date +live +[12] '
done
keys moqt Enter
see moqt 'groups, newest right: [0-9]+ cached'
await 30 "the group fills again" grown "$(received)"

say "without a screen"
moqtop -once > "$SCRATCH/once.out" 2> "$SCRATCH/once.err" || fail "moqtop -once: $(cat "$SCRATCH/once.err")"
grep -q -E '^[0-9:]+ track moq\.2ddate--date live subs [12] at [0-9]+/[0-9]+ in ' "$SCRATCH/once.out" || fail "moqtop -once prints $(cat "$SCRATCH/once.out")"
moqtop -once -json "$url" -track moq-date/date 2> "$SCRATCH/json.err" | grep -q '"full_name":"moq.2ddate--date".*"state":"live"' ||
  fail "moqtop -json: $(cat "$SCRATCH/json.err")"
refused 2 'it can be admin, moqt or auto' moqtop -as telnet

for name in moqt admin; do
  keys "$name" q
  await 10 "$name ends" left "$name"
  [ "$(cat "$SCRATCH/$name.code")" = 0 ] || fail "$name ends with code $(cat "$SCRATCH/$name.code"): $(cat "$SCRATCH/$name.log")"
done

say "the relay's own screen"
terminal new-session -d -s own -x 100 -y 24 -c "$SCRATCH" "moqrelayserver -port 0 -demo -ascii 2> '$SCRATCH/own.log'; echo \$? > '$SCRATCH/own.code'"
see own 'moq-date \. date +'
see own '\* live 1s'
keys own Enter
see own 'groups, newest right: [0-9]+ cached'
see own 'live objects'
terminal resize-window -t own -x 57 -y 14
see own 'in [0-9.]+.* out '
terminal resize-window -t own -x 30 -y 6
see own 'terminal too small'
terminal resize-window -t own -x 100 -y 24
see own 'live objects'
keys own q
see own 'Stop the relay\?'
keys own n
see own 'live objects'
keys own q y
await 20 "the relay stops" left own
[ "$(cat "$SCRATCH/own.code")" = 0 ] || fail "the relay ended with $(cat "$SCRATCH/own.code"): $(tail -n 3 "$SCRATCH/own.log")"
grep -q ' is ready: ' "$SCRATCH/own.log" || fail "the relay did not say where it is"
! grep -q ' INFO ' "$SCRATCH/own.log" || fail "the log went to the terminal: $(grep -m 1 ' INFO ' "$SCRATCH/own.log")"
