# Traces of connections: each side writes a file, while it runs and to its end,
# over every transport; moqtimeline tells what happened from one or both of them.
. "$(dirname "$0")/stage.bash"

traces=$SCRATCH/traces
launch relay moqrelayserver -demo -port 0 -qmux -qlog_dir "$traces" -mlog_path "$SCRATCH/all.qlog"
ready relay

# files SIDE prints the traces of a side that tell of a subscription.
files() { grep -l '"type":"subscribe"' "$traces"/*_"$1".sqlog 2> /dev/null; }

# timeline ARG... must succeed and say nothing beside what it shows.
timeline() { moqtimeline "$@" 2> "$SCRATCH/timeline.err" && [ ! -s "$SCRATCH/timeline.err" ]; }

date=(-connect_timeout 10000 -track_namespace moq-date -track_name date)
for transport in quic wt qmux; do
  rm -f "$traces"/*_client.sqlog
  case $transport in wt) to=https${url#moqt} ;; *) to=$url ;; esac
  moqtextclient -connect_url "$to" -transport "$transport" "${date[@]}" -count 3 -qlog_dir "$traces" > "$SCRATCH/$transport.out" 2> "$SCRATCH/$transport.err" \
    || fail "$transport: the client fails: $(cat "$SCRATCH/$transport.err")"
  client=$(files client)
  [ "$(wc -l <<< "$client")" = 1 ] && [ -n "$client" ] || fail "$transport: traces of the client: $client"
  [ "$(stat -c %a "$client")" = 600 ] || fail "$transport: others may read the trace"
  timeline "$client" > "$SCRATCH/one" || fail "$transport: moqtimeline of one side: $(cat "$SCRATCH/timeline.err")"
  for said in 'C──▶S  s[0-9]* *SETUP' 'C──▶S  s[0-9]* *SUBSCRIBE moq-date/date  #0' 'C◀──S  s[0-9]* *SUBSCRIBE_OK moq-date/date' 'C◀══S  s[0-9]* .*moq-date/date .*object'; do
    grep -q "$said" "$SCRATCH/one" || fail "$transport: the timeline does not tell of $said: $(cat "$SCRATCH/one")"
  done
  if [ "$transport" = qmux ]; then
    ! grep -q '"transport:packet_sent"' "$client" || fail "qmux: packets in the trace"
    continue # both sides name the connection as they like
  fi
  grep -q '"transport:packet_sent"' "$client" || fail "$transport: no packets in the trace"
  server=${client%_client.sqlog}_server.sqlog
  # The relay still runs: its trace is there nevertheless, a moment later.
  await 30 "$transport: the relay writes the end of the connection" grep -q connection_closed "$server"
  timeline "$client" "$server" -json -events control > "$SCRATCH/both" || fail "$transport: moqtimeline of both sides: $(cat "$SCRATCH/timeline.err")"
  grep -q '"what":"SUBSCRIBE","track":"moq-date/date".*"delay_ms":' "$SCRATCH/both" || fail "$transport: the sides do not match: $(cat "$SCRATCH/both")"
  say "$transport: $(wc -l < "$SCRATCH/one") lines of one side, $(wc -l < "$SCRATCH/both") of both"
done
kill -INT "${pid[relay]}"
finish relay 0 15

# The file of all sessions names them; each is a timeline.
moqtimeline "$SCRATCH/all.qlog" > "$SCRATCH/out" 2> "$SCRATCH/err" && fail "several sessions are taken for one"
session=$(sed -n 's/.*name one with -session: \([^,]*\),.*/\1/p' "$SCRATCH/err")
timeline "$SCRATCH/all.qlog" -session "$session" > "$SCRATCH/out" || fail "session $session: $(cat "$SCRATCH/timeline.err")"
grep -q SETUP "$SCRATCH/out" || fail "session $session: $(cat "$SCRATCH/out")"

# A trace ends at its limit and says so; one that is cut off anywhere is shown.
limited=$SCRATCH/limited
launch date moqdateserver -port 0 -qlog_dir "$limited" -qlog_max_bytes 8192
ready date
moqtextclient -connect_url "$url" "${date[@]}" -count 3 > /dev/null 2> "$SCRATCH/limited.err" || fail "with a limited trace: $(cat "$SCRATCH/limited.err")"
kill -INT "${pid[date]}"
finish date 0 15
for file in "$limited"/*; do
  [ "$(stat -c %s "$file")" -le 8192 ] || fail "$(stat -c %s "$file") bytes in a trace of 8192"
done
file=$(grep -l 'reached its limit of 8192 bytes' "$limited"/*) || fail "no trace has reached its limit: $(ls -l "$limited")"
timeline "$file" | grep -q 'reached its limit' || fail "the timeline does not tell of the limit"
head -c 5000 "$file" > "$SCRATCH/cut.sqlog"
timeline "$SCRATCH/cut.sqlog" | grep -q 'cut off' || fail "a trace that is cut off is not shown"

# None is traced if the sample is as large as that, and a directory that cannot be
# is told of at once.
moqdateserver -port 0 -qlog_dir "$file/below" > "$SCRATCH/out" 2> "$SCRATCH/err" && fail "a directory below a file"
grep -q '^moqdateserver: -qlog_dir: nothing can be written into ' "$SCRATCH/err" || fail "$(cat "$SCRATCH/err")"
say "limit, sessions and errors"
