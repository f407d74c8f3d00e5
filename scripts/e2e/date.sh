# The date through a relay, in every mode, on both ways to announce it, from every
# transport to another: a viewer that comes in the middle of a minute gets the
# minute, the seconds so far, and then one line a second, when that second begins.
. "$(dirname "$0")/stage.bash"

# A line may be this late, in microseconds, on a machine that has other work.
readonly tolerance=5000000
live=6 # lines that each viewer must see come

launch relay moqrelayserver -port 0 -qmux
ready relay
relay=$url

# Each publisher uses the transport after that of the one before it, and its viewer
# the one after that.
transports=(quic wt qmux)
turn=0
for mode in spg spo datagram; do
  launch "$mode-subscribe" moqdateserver -nolisten -utc -mode "$mode" -ns "date/$mode/subscribe" -relay_url "$relay" \
    -transport "${transports[turn++ % 3]}"
  launch "$mode-publish" moqdateserver -nolisten -utc -mode "$mode" -ns "date/$mode/publish" -publish -relay_url "$relay" \
    -transport "${transports[turn++ % 3]}"
done
launch own moqdateserver -port 0 -utc
ready own
direct=$url

# In the first seconds of a minute there is nothing to catch up with.
middle() { [ "$((EPOCHSECONDS % 60))" -ge 4 ]; }
await 5 "the middle of a minute" middle

# view NAME FLAG... starts a viewer and writes each of its lines with the time at
# which it came, in microseconds.
declare -A begun
view() {
  local name=$1 line
  shift
  mkfifo "$SCRATCH/$name.pipe"
  begun[$name]=$EPOCHSECONDS
  while IFS= read -r line; do
    printf '%s %s\n' "${EPOCHREALTIME/./}" "$line"
  done < "$SCRATCH/$name.pipe" > "$SCRATCH/$name.times" &
  moqtextclient -retry -rendezvous_timeout 5000 -count $((EPOCHSECONDS % 60 + 2 + live)) "$@" \
    > "$SCRATCH/$name.pipe" 2> "$SCRATCH/$name.err" < /dev/null &
  pid[$name]=$!
}
viewers=
turn=1
for mode in spg spo datagram; do
  for way in subscribe publish; do
    view "$mode-$way-viewer" -connect_url "$relay" -transport "${transports[turn++ % 3]}" -track_namespace "date/$mode/$way" -track_name date
    viewers+=" $mode-$way-viewer"
  done
done
view direct-viewer -connect_url "$direct" -track_namespace moq-date -track_name date
view direct-web-viewer -connect_url "https${direct#moqt}" -track_namespace moq-date -track_name date
viewers+=" direct-viewer direct-web-viewer"

for v in $viewers; do
  finish "$v" 0 60
  cut -d ' ' -f 2- "$SCRATCH/$v.times" > "$SCRATCH/$v.out"
  contiguous "$v"
  # The first line is of the minute in which the viewer came, or of the next.
  first=$(date -u -d "$(head -n 1 "$SCRATCH/$v.out" | sed 's/:$//')" +%s)
  minute=$((begun[$v] / 60 * 60))
  [ "$first" = "$minute" ] || [ "$first" = $((minute + 60)) ] || fail "$v begins with $(head -n 1 "$SCRATCH/$v.out")"
  # No line comes before its second, and those of seconds yet to come come in time.
  awk -v begun="${begun[$v]}" -v minute="$first" -v tolerance="$tolerance" -v live="$live" '
    NF == 3 { if (NR > 1) minute += 60; next }
    {
      due = (minute + $2) * 1000000
      if ($1 < due - 50000) { print "second " $2 " came " (due - $1) / 1000 " ms early"; bad = 1 }
      if (minute + $2 <= begun) next
      seen++
      if ($1 > due + tolerance) { print "second " $2 " came " ($1 - due) / 1000 " ms late"; bad = 1 }
    }
    END { if (seen < live - 1) { print "only " seen + 0 " lines came live"; bad = 1 }; exit bad }
  ' "$SCRATCH/$v.times" || fail "$v: the time of its lines"
  say "$v: $(count "$v") lines"
done
