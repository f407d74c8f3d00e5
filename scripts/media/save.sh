#!/usr/bin/env bash
# E. Writes what is published to an FLV file, until it ends or for some seconds,
# and shows what ffprobe finds in it.
#
#   scripts/media/save.sh [FILE] [SECONDS]        default received.flv
. "$(dirname "$0")/settings.bash"

tool ffprobe
receiver=$(program moqflvreceiver)
out=${1:-$MEDIA_DIR/received.flv}
limit=
[ $# -lt 2 ] || limit="-duration=${2}s"
# shellcheck disable=SC2086 # no flag if there is no limit
"$receiver" -flv_outpath "$out" -connect_url "$MEDIA_URL" -track_namespace "$MEDIA_NAMESPACE" -retry $limit
ffprobe -hide_banner -v error -count_packets -of default=noprint_wrappers=1 -show_entries \
  stream=codec_name,profile,width,height,avg_frame_rate,sample_rate,channels,nb_read_packets "$out"
