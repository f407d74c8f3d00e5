# What goes wrong at the start ends a program with the right exit code and one
# sentence on standard error that says what to do, and nothing on standard output.
. "$(dirname "$0")/stage.bash"

number=0
# refused CODE PATTERN COMMAND... runs the command, whose last words must match.
# Lines of the log, which begin with the time, are not sentences.
refused() {
  local want=$1 pattern=$2 name=run$((++number)) said
  shift 2
  launch "$name" "$@"
  await 20 "'$*' gives up" ended "$name"
  finish "$name" "$want" 1
  said=$(grep -v '^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' "$SCRATCH/$name.err")
  [ "$(wc -l <<< "$said")" = 1 ] && [ -n "$said" ] || fail "'$*' does not say one sentence: $said"
  [[ $said == "$1: "* && $said == *. ]] || fail "'$*' does not say a sentence of its own: $said"
  grep -q -i -E -- "$pattern" <<< "$said" || fail "'$*' says '$said', which does not match '$pattern'"
  [ ! -s "$SCRATCH/$name.out" ] || fail "'$*' writes to standard output"
  say "$want: $said"
}

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

# Nobody is there: a port that was just free.
launch gone moqrelayserver -port 0
relay_url=$url
ready gone
gone=$url
strike gone
url=$relay_url
# shellcheck disable=SC2086
refused 1 'localhost' moqtextclient -connect_url "$gone" $track
refused 1 'localhost' moqdateserver -nolisten -relay_url "$gone"
# shellcheck disable=SC2086
refused 1 'no-such-host.invalid' moqtextclient -connect_url moqt://no-such-host.invalid:4433/ $track

# Nothing is served at this path, and nobody publishes that.
# shellcheck disable=SC2086
refused 1 'path' moqtextclient -connect_url "${url%/*}/elsewhere" $track
refused 1 'no track "date" of namespace "nobody"' moqtextclient -connect_url "$url" -track_namespace nobody -track_name date
refused 1 'no track "sundial"' moqtextclient -connect_url "$url" -track_namespace moq-date -track_name sundial

# The certificate is not trusted, is another one, or cannot be read.
# shellcheck disable=SC2086
XDG_CONFIG_HOME=$SCRATCH/elsewhere refused 1 'certificate' moqtextclient -connect_url "$url" $track
XDG_CONFIG_HOME=$SCRATCH/elsewhere refused 1 'certificate' moqdateserver -nolisten -relay_url "$url"
# shellcheck disable=SC2086
refused 1 'certificate|fingerprint' moqtextclient -connect_url "$url" -fingerprint "$(printf '%064d' 0)" $track
# shellcheck disable=SC2086
refused 1 'none.pem' moqtextclient -connect_url "$url" -ca "$SCRATCH/none.pem" $track
refused 1 'none.pem' moqrelayserver -port 0 -cert "$SCRATCH/none.pem" -key "$SCRATCH/none.key"

# And what is right works.
# shellcheck disable=SC2086
launch viewer moqtextclient -connect_url "$url" $track -count 2
finish viewer 0 10
# shellcheck disable=SC2086
XDG_CONFIG_HOME=$SCRATCH/elsewhere launch careless moqtextclient -insecure -connect_url "$url" $track -count 2
finish careless 0 10
contiguous viewer
contiguous careless
