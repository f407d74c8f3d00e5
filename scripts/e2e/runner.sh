# The relay as the public interop runner runs it: role, port, certificate, drafts
# and traces by its variables, a URL without a path, code 0 after SIGTERM, and 127
# for a role that it has not.
. "$(dirname "$0")/stage.bash"

home=$SCRATCH/home
mkdir -p "$home" "$SCRATCH/mlog"
scripts/create-server-certs.sh -dir "$SCRATCH/certs" > "$SCRATCH/certs.log" 2>&1 || fail "no certificate: $(cat "$SCRATCH/certs.log")"
cert=$SCRATCH/certs/certificate.pem key=$SCRATCH/certs/certificate.key

# as_image NAME VARIABLE... runs the relay with these variables and no others.
as_image() {
  local name=$1
  shift
  launch "$name" env -i PATH="$PATH" HOME="$home" MOQT_ROLE=relay MOQT_PORT=0 MOQT_CERT="$cert" MOQT_KEY="$key" \
    MOQT_MLOG_DIR="$SCRATCH/mlog" XDG_RUNTIME_DIR="$SCRATCH/run" "$@" moqrelayserver
  ready "$name"
}

# speaks URL DRAFT succeeds if a client gets a session of that draft there. There is
# no such track, which the relay says at once.
speaks() {
  local name=client$((++number))
  launch "$name" moqtextclient -insecure -connect_timeout 10000 -connect_url "$1" -track_namespace none -track_name none -exit_on error
  await 20 "$name hears of the relay" ended "$name"
  finish "$name" 1 1
  grep -q "connected .*draft=$2 " "$SCRATCH/$name.err" || fail "$1: no session of draft $2: $(cat "$SCRATCH/$name.err")"
}

as_image relay
drafts=$(moqrelayserver -versions 7 2>&1 | sed -n 's/.* use \([0-9,]*\).*/\1/p')
best=${drafts%%,*}
speaks "https://localhost:$port" "$best"
speaks "moqt://localhost:$port" "$best"
for draft in ${drafts//,/ }; do
  for scheme in https moqt; do
    MOQT_DRAFT="draft-$draft" speaks "$scheme://localhost:$port" "$draft"
  done
  say "draft $draft over both transports"
done
[ "$(find "$SCRATCH/mlog" -name '*_server.sqlog' | wc -l)" -ge 2 ] || fail "there are no traces: $(ls "$SCRATCH/mlog")"
grep -q "Serving with the certificate .*$cert" "$SCRATCH/relay.err" || fail "it serves with another certificate"
kill -TERM "${pid[relay]}"
finish relay 0 10

as_image pinned MOQT_DRAFT="draft-$best" MOQT_VERSIONS=7
speaks "https://localhost:$port/" "$best"
kill -TERM "${pid[pinned]}"
finish pinned 0 10

MOQT_ROLE=publisher refused 127 'can only be a relay' moqrelayserver
MOQT_DRAFT=draft-07 refused 2 'draft 7 is not spoken here' moqrelayserver -port 0
