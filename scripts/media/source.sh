#!/usr/bin/env bash
# C. A live source: test picture with frame numbers and a clock, and a tone, in real
# time, as FLV with H.264 and AAC, into a fifo, a file or standard output.
#
#   scripts/media/source.sh [FIFO or FILE or -]        default fifo.flv, which is made
#
# MEDIA_SECONDS says how long.
. "$(dirname "$0")/settings.bash"

tool ffmpeg
out=${1:-$MEDIA_DIR/fifo.flv}
[ $# -gt 0 ] || fifo "$out"
exec ffmpeg -hide_banner -loglevel warning -nostdin -y \
  -re -f lavfi -i testsrc2=size=320x200:rate=30 \
  -re -f lavfi -i sine=frequency=1000:sample_rate=48000 -t "$MEDIA_SECONDS" \
  -pix_fmt yuv420p -c:v libx264 -profile:v baseline -preset veryfast -b:v 180k -g 60 -keyint_min 60 \
  -c:a aac -b:a 96k -f flv -flvflags no_duration_filesize "$out"
