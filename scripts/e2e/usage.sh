# What goes wrong at the start ends a program with the right exit code and one
# sentence on standard error that says what to do, and nothing on standard output.
. "$(dirname "$0")/stage.bash"

launch relay moqrelayserver -port 0 -demo
ready relay
track="-track_namespace moq-date -track_name date"

# Called wrongly.
for bad in localhost:4433 "http://localhost:$port/" "moqt://" "moqt://localhost:99999/" "moqt://localhost:x/" "moqt://user:word@localhost/"; do
  # shellcheck disable=SC2086 # flags
  refused 2 'url|port|scheme|host|user' moqtextclient -connect_url "$bad" $track
  refused 2 'url|port|scheme|host|user' moqdateserver -nolisten -relay_url "$bad"
done
refused 2 'mode' moqdateserver -mode stream -port 0
refused 2 'relay_url' moqdateserver -nolisten
refused 2 'track_name' moqtextclient -connect_url "$url" -track_namespace moq-date
# shellcheck disable=SC2086
refused 2 'connect_url|URL' moqtextclient $track
# shellcheck disable=SC2086
refused 2 'number|"x"|count' moqtextclient -connect_url "$url" $track -count x
refused 2 'port' moqrelayserver -port 65536
refused 2 'port' moqdateserver -port 65536
refused 2 'scope' moqrelayserver -port 0 -scope everything
refused 2 'upstream|policy|rule' moqrelayserver -port 0 -upstream 'a=sometimes'

# The port is taken, or there is no such address.
refused 1 "port $port.*in use" moqrelayserver -port "$port"
refused 1 "port $port.*in use" moqdateserver -port "$port"
refused 1 'address' moqrelayserver -port 0 -bind 192.0.2.1

# A file cannot be read or written.
# shellcheck disable=SC2086
refused 1 'none.pem' moqtextclient -connect_url "$url" -ca "$SCRATCH/none.pem" $track
refused 1 'none.pem' moqrelayserver -port 0 -cert "$SCRATCH/none.pem" -key "$SCRATCH/none.key"
# shellcheck disable=SC2086
refused 1 'mlog_path' moqtextclient -connect_url "$url" $track -mlog_path "$SCRATCH/none/x.qlog"
refused 1 'mlog_path' moqdateserver -port 0 -mlog_path "$SCRATCH/none/x.qlog"

# What is not there is refused, and what is written wrongly is guessed at.
refused 2 'cluster' moqrelayserver -port 0 --cluster-root https://localhost:1
refused 2 'draft 7 is not spoken' moqrelayserver -port 0 -versions 7
# shellcheck disable=SC2086
refused 2 'draft 7 is not spoken' moqtextclient -connect_url "$url" $track -versions 7
refused 2 'did you mean -port' moqrelayserver -prot 0
refused 2 'did you mean -relay_url' moqdateserver --relay-ulr x
MOQ_PORT=x refused 2 'environment variable MOQ_PORT' moqdateserver

# And what is right works.
# shellcheck disable=SC2086
launch viewer moqtextclient -connect_url "$url" $track -count 2
finish viewer 0 10
# shellcheck disable=SC2086
XDG_CONFIG_HOME=$SCRATCH/elsewhere launch careless moqtextclient -insecure -connect_url "$url" $track -count 2
finish careless 0 10
contiguous viewer
contiguous careless

# One that is told to stop reports how the objects came.
# shellcheck disable=SC2086
launch measuring moqtextclient -connect_url "$url" $track -format json
more measuring 2
kill -INT "${pid[measuring]}"
finish measuring 0 10
printed=$(($(count measuring) - 1))
tail -n 1 "$SCRATCH/measuring.out" | grep -q "^{\"report\":{.*\"track\":\"date\",\"objects\":$printed,.*\"join_ms\":.*\"freezes\":" || fail "no report of $printed objects"
[ "$(grep -c '"arrival":".*"size":' "$SCRATCH/measuring.out")" = "$printed" ] || fail "objects without their arrival"
