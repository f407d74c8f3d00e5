# For minutes, viewers come and go, are killed and stopped, and publishers are
# restarted. Those who stay miss nothing, and the relay does not grow.
#
# SOAK_SECONDS  how long (180)
. "$(dirname "$0")/../e2e/stage.bash"

duration=${SOAK_SECONDS:-180}
# Memory may differ by this much between the first third and the end, and this many
# goroutines may be left for two viewers and a publisher.
max_growth_kib=24576
max_goroutines=120

GOGC=20 launch relay moqrelayserver -port 0 -cache 16
ready relay
declare -A way=([spg]="" [spo]="-publish" [datagram]="")
publisher() { # shellcheck disable=SC2086 # a flag or none
  launch "publisher-$1" moqdateserver -nolisten -utc -retry -mode "$1" -ns "date/$1" ${way[$1]} -relay_url "$url"
}
viewer() { launch "$1" moqtextclient -rendezvous_timeout 10000 -connect_url "$url" -track_namespace "date/$2" -track_name date "${@:3}"; }
for mode in "${!way[@]}"; do
  publisher "$mode"
  viewer "steady-$mode" "$mode"
done
for mode in "${!way[@]}"; do more "steady-$mode" 2; done

resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pid[relay]}/status"; }
came=0 began=$EPOCHSECONDS first=
modes=(spg spo datagram)
while elapsed=$((EPOCHSECONDS - began)) && [ "$elapsed" -lt "$duration" ]; do
  came=$((came + 1))
  mode=${modes[came % 3]}
  # One that leaves by itself, one that is told to, one that is killed.
  viewer "guest$came" "$mode" -count 40
  viewer "told$came" "$mode"
  viewer "killed$came" "$mode"
  more "told$came" 1
  kill -TERM "${pid[told$came]}"
  finish "told$came" 0 10
  more "killed$came" 1
  strike "killed$came"
  contiguous "told$came"
  contiguous "killed$came"
  if [ $((came % 8)) = 0 ]; then
    strike "publisher-$mode"
    publisher "$mode"
  fi
  # Those that are done by now must have done well.
  for name in "${!pid[@]}"; do
    case $name in guest*) ended "$name" || continue ;; *) continue ;; esac
    finish "$name" 0 1
    contiguous "$name"
    rm "$SCRATCH/$name".*
  done
  rm -f "$SCRATCH/told$came".* "$SCRATCH/killed$came".*
  [ -z "$first" ] && [ "$elapsed" -ge $((duration / 3)) ] && first=$(resident)
done
for mode in "${modes[@]}"; do
  more "steady-$mode" 2
  contiguous "steady-$mode"
done
modest() { [ $(($(resident) - first)) -le "$max_growth_kib" ]; }
await 40 "memory goes back to $first KiB and not more than $max_growth_kib" modest
last=$(resident)
for name in "${!pid[@]}"; do
  case $name in guest*) finish "$name" 0 70 && contiguous "$name" ;; esac
done
closed() { [ $(($(heard relay ' INFO session session=') - $(heard relay ' INFO session ended session='))) -le 6 ]; }
await 40 "the sessions of those that were killed end" closed
kill -QUIT "${pid[relay]}"
finish relay 2 5
left=$(grep -c '^goroutine [0-9]' "$SCRATCH/relay.err")
[ "$left" -le "$max_goroutines" ] || fail "$left goroutines are left, more than $max_goroutines"
say "$((3 * came)) viewers in ${duration}s; $first KiB after a third, $last KiB at the end; $left goroutines left"
