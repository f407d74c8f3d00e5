# Every command explains itself on standard output with code 0, prints its
# version, and refuses an unknown flag with one sentence and code 2. Moxygen's
# names lead to programs, or to one of the programs in one (moqtest client).
set -euo pipefail
shopt -s nullglob
for command in _build/bin/*; do
  called=$(basename "$command")
  [ -e "$command" ] || { echo "$called leads to nothing"; exit 1; }
  name=$(basename "$(readlink -f "$command")")
  "$called" -help > "$SCRATCH/help" 2> "$SCRATCH/errors"
  head -n 1 "$SCRATCH/help" | grep -q "^$name " || { echo "$called -help begins with $(head -n 1 "$SCRATCH/help")"; exit 1; }
  [ ! -s "$SCRATCH/errors" ] || { echo "$called -help wrote to standard error"; exit 1; }
  "$called" --version | grep -qE "^$name( [a-z]+)? of oxymoq " || { echo "$called --version does not say what it is"; exit 1; }
  code=0
  "$called" --no-such-flag > "$SCRATCH/out" 2> "$SCRATCH/errors" || code=$?
  [ "$code" = 2 ] || { echo "$called --no-such-flag ends with code $code, not 2"; exit 1; }
  [ ! -s "$SCRATCH/out" ] && [ "$(wc -l < "$SCRATCH/errors")" = 1 ] || { echo "$called --no-such-flag does not say one sentence:"; cat "$SCRATCH/errors"; exit 1; }
  echo "$called ok"
done

# The table of build.sh: a link for each program that exists, and for no other.
while read -r theirs ours; do
  [ -n "$theirs" ] || continue
  if [ -d "cmd/$ours" ]; then
    [ "$(readlink "_build/bin/$theirs")" = "$ours" ] || { echo "_build/bin/$theirs does not lead to $ours"; exit 1; }
  elif [ -e "_build/bin/$theirs" ] || [ -L "_build/bin/$theirs" ]; then
    echo "_build/bin/$theirs is there without $ours"
    exit 1
  fi
done < <(sed -n '/^names="/,/^"/p' build.sh | grep -v '"')
