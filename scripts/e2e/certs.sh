# Certificates: the script that makes them, files that change under a running
# server, what browsers are told by HTTP, and what is said of wrong ones.
# needs: curl=curl
. "$(dirname "$0")/stage.bash"

track="-track_namespace moq-date -track_name date"

# sentence CODE PATTERN COMMAND... runs the command, which must fail so and say one
# matching sentence.
sentence() {
  local want=$1 pattern=$2 code=0 said
  shift 2
  said=$(timeout 60 "$@" 2>&1 > "$SCRATCH/sentence.out") || code=$?
  # Lines of the log begin with the time.
  said=$(grep -v '^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' <<< "$said")
  [ "$code" = "$want" ] || fail "'$*' ends with code $code, not $want: $said"
  [ "$(wc -l <<< "$said")" = 1 ] || fail "'$*' does not say one sentence: $said"
  grep -q -E -- "$pattern" <<< "$said" || fail "'$*' says '$said', which does not match '$pattern'"
  say "$want: $said"
}

# The script, in a copy of the project, since it replaces certs/.
project=$SCRATCH/project
mkdir -p "$project/internal" "$project/scripts"
cp go.mod go.sum "$project/"
cp -r internal/certs internal/cli "$project/internal/"
cp -r scripts/servercerts scripts/create-server-certs.sh "$project/scripts/"
for file in certs/certificate.pem certs/certificate.key; do
  git check-ignore -q "$file" || fail "git does not ignore $file"
done
cert=$project/certs/certificate.pem
key=$project/certs/certificate.key

# make DIRECTORY COMMAND... makes a certificate and sets hash.
hash=
make() {
  local dir=$1 before=$hash
  shift
  (cd "$dir" && "$@") > "$SCRATCH/made" 2> "$SCRATCH/made.err" || fail "$* in $dir: $(cat "$SCRATCH/made.err")"
  hash=$(sed -n 's/^SHA-256 *//p' "$SCRATCH/made")
  [ "${#hash}" = 64 ] && [ "$hash" != "$before" ] || fail "$* in $dir prints the hash '$hash' after '$before'"
  [ -s "$cert" ] && [ -s "$key" ] || fail "$* in $dir does not write the files"
  say "$* in $dir: $hash"
}
make "$project" scripts/create-server-certs.sh
[ ! -s "$SCRATCH/made.err" ] || fail "the script complains: $(cat "$SCRATCH/made.err")"
make "$project/scripts" ./create-server-certs.sh
grep -q 'replaced' "$SCRATCH/made.err" || fail "the script does not say that it replaces a certificate"
make / bash "$project/scripts/create-server-certs.sh" relay.example
grep -q '^for .*localhost, 127.0.0.1, ::1.* relay.example' "$SCRATCH/made" || fail "the names are not those asked for: $(cat "$SCRATCH/made")"
sentence 2 'neither a host name' "$project/scripts/create-server-certs.sh" 'a b'
mv "$project/certs" "$project/kept"
touch "$project/certs"
sentence 1 "$project/certs" "$project/scripts/create-server-certs.sh"
rm "$project/certs"
mv "$project/kept" "$project/certs"

# Files that change while the server runs.
launch relay moqrelayserver -port 0 -demo -cert "$cert" -key "$key"
ready relay
asked() { curl -s --max-time 5 "http://localhost:$port/fingerprint"; }
shows() { [ "$(asked)" = "$1" ]; }
shows "$hash" || fail "the relay shows $(asked), not $hash"
grep -q "$hash" "$SCRATCH/relay.err" || fail "the relay does not print the hash"
# shellcheck disable=SC2086 # flags
launch before moqtextclient -connect_url "$url" $track -fingerprint "$hash"
more before 2
old=$hash
make / "$project/scripts/create-server-certs.sh"
await 20 "the relay takes the new certificate" shows "$hash"
# shellcheck disable=SC2086
for connect in "$url" "${url/moqt:/https:}"; do
  launch after moqtextclient -connect_url "$connect" $track -fingerprint "$hash" -count 2
  finish after 0 15
  sentence 1 "fingerprint $hash" moqtextclient -connect_url "$connect" $track -fingerprint "$old" -count 1
done
more before 2 # it was connected already
contiguous before
# What is wrong stays outside, and is said once.
echo junk > "$key"
await 20 "the relay says what is wrong" hears relay 'certificate in use stays: .*PRIVATE KEY' 1
shows "$hash" || fail "a broken key changed the certificate"
make / "$project/scripts/create-server-certs.sh"
await 20 "the relay goes on with the next certificate" shows "$hash"
[ "$(heard relay 'certificate in use stays: .*PRIVATE KEY')" = 1 ] || fail "the relay repeats itself"

# A client in the root of a project trusts its certificate towards this machine.
# shellcheck disable=SC2086
launch local env -C "$project" XDG_CONFIG_HOME="$SCRATCH/elsewhere" moqtextclient -connect_url "$url" $track -count 2
finish local 0 15
grep -q 'trusting ./certs/certificate.pem' "$SCRATCH/local.err" || fail "the client does not say what it trusts"
# shellcheck disable=SC2086
sentence 1 'not trusted.* -fingerprint .* -ca .* -insecure' env XDG_CONFIG_HOME="$SCRATCH/elsewhere" moqtextclient -connect_url "$url" $track -count 1

# What browsers ask for, at every address that localhost may mean.
hosts=127.0.0.1
grep -q '^00000000000000000000000000000001' /proc/net/if_inet6 2> /dev/null && hosts="$hosts [::1]"
for host in $hosts; do
  page="http://$host:$port"
  for path in fingerprint certificate.sha256; do
    [ "$(curl -s -g --max-time 5 "$page/$path")" = "$hash" ] || fail "$page/$path is not the hash"
  done
  curl -s -g --max-time 5 "$page/certs/certificate_fingerprint.hex" | od -An -v -tx1 | tr -d ' \n' > "$SCRATCH/raw"
  [ "$(cat "$SCRATCH/raw")" = "$hash" ] || fail "the raw hash at $host is $(cat "$SCRATCH/raw")"
  # shellcheck disable=SC2086
  launch "at$host" moqtextclient -connect_url "${url/localhost/$host}" $track -fingerprint "$hash" -count 1
  finish "at$host" 0 15
done
page=http://127.0.0.1:$port
# answers WANT... asks by curl with the arguments in ask; each WANT is a line of the header.
answers() {
  local got want
  got=$(curl -s -i --max-time 5 "${ask[@]}" | tr -d '\r')
  for want in "$@"; do grep -q -i -x -- "$want" <<< "$got" || fail "curl ${ask[*]} answers '$got' and not '$want'"; done
}
ask=("$page/fingerprint")
answers 'HTTP/1.1 200 OK' 'access-control-allow-origin: \*' 'cache-control: no-store'
ask=(-I "$page/certificate.sha256")
answers 'HTTP/1.1 200 OK' 'access-control-allow-origin: \*'
ask=(-X OPTIONS -H 'Origin: https://player.example' -H 'Access-Control-Request-Method: GET' -H 'Access-Control-Request-Private-Network: true' "$page/certificate.sha256")
answers 'HTTP/1.1 204 No Content' 'access-control-allow-origin: \*' 'access-control-allow-private-network: true'
ask=(-X POST "$page/fingerprint")
answers 'HTTP/1.1 405 Method Not Allowed' 'allow: GET, HEAD'
ask=("$page/certs/nothing")
answers 'HTTP/1.1 404 Not Found'

# A development certificate that another server made new is trusted at the next
# connection of a client that runs.
launch first moqrelayserver -port 0 -demo
ready first
# shellcheck disable=SC2086
launch patient moqtextclient -connect_url "$url" $track -retry
more patient 2
strike first
rm "$XDG_CONFIG_HOME/oxymoq/development.pem"
launch second moqrelayserver -port "$port" -demo
more patient 2 30

# Wrong files.
sentence 1 'none.pem does not exist' moqrelayserver -port 0 -cert "$SCRATCH/none.pem" -key "$key"
sentence 1 'no CERTIFICATE block' moqdateserver -port 0 -cert "$key" -key "$cert"
sentence 1 'do not work together' moqrelayserver -port 0 -cert "$cert" -key "$XDG_CONFIG_HOME/oxymoq/development.pem"
sentence 2 'both -cert and -key' moqrelayserver -port 0 -cert "$cert"
sentence 2 'both -cert and -key' moqdateserver -port 0 -tls_key "$key"
sentence 2 'http' moqrelayserver -port 0 -http somewhere
sentence 2 'nothing to serve' moqrelayserver -port 0 -noquic
