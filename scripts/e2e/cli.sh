# Every command explains itself on standard output with code 0, prints its
# version, and refuses an unknown flag with one sentence and code 2.
set -euo pipefail
shopt -s nullglob
for command in _build/bin/*; do
  name=$(basename "$command")
  "$name" -help > "$SCRATCH/help" 2> "$SCRATCH/errors"
  head -n 1 "$SCRATCH/help" | grep -q "^$name " || { echo "$name -help begins with $(head -n 1 "$SCRATCH/help")"; exit 1; }
  [ ! -s "$SCRATCH/errors" ] || { echo "$name -help wrote to standard error"; exit 1; }
  "$name" --version | grep -q "^$name of oxymoq " || { echo "$name --version does not say what it is"; exit 1; }
  code=0
  "$name" --no-such-flag > "$SCRATCH/out" 2> "$SCRATCH/errors" || code=$?
  [ "$code" = 2 ] || { echo "$name --no-such-flag ends with code $code, not 2"; exit 1; }
  [ ! -s "$SCRATCH/out" ] && [ "$(wc -l < "$SCRATCH/errors")" = 1 ] || { echo "$name --no-such-flag does not say one sentence:"; cat "$SCRATCH/errors"; exit 1; }
  echo "$name ok"
done
