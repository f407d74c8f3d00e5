# Chromium and the relay over WebTransport: the page of internal/watch reads the
# date with the certificate's hash and hears how its session ends, and the browser
# programs of moq-dev (@moq/publish, @moq/watch, @moq/net) work as npm has them,
# with each other and with the FLV tools (G and H of READMOQMEDIA.md).
# The page's codec is checked against the golden vectors of pkg/wire.
# needs: chromium=chromium node=nodejs npm=npm ffmpeg=ffmpeg
. "$(dirname "$0")/stage.bash"

browser=scripts/browser
CHROMIUM=$(command -v chromium)
export CHROMIUM

# What package-lock.json says, unless it is there already.
if ! cmp -s $browser/package-lock.json $browser/node_modules/.installed; then
  say "installing the modules of $browser"
  (cd $browser && npm ci --ignore-scripts --no-audit --no-fund) > "$SCRATCH/npm.out" 2>&1 ||
    { cat "$SCRATCH/npm.out"; fail "npm ci"; }
  cp $browser/package-lock.json $browser/node_modules/.installed
fi

node --test $browser/wire.test.mjs > "$SCRATCH/wire.out" 2>&1 ||
  { grep -v '^ok\|^# Subtest\|duration_ms' "$SCRATCH/wire.out"; fail "the page's codec"; }
say "$(grep -c '^ok' "$SCRATCH/wire.out") tests of the page's codec"

node $browser/drive.mjs "$SCRATCH" || fail "the browser"
