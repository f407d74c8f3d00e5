package elementary

import (
	"encoding/hex"
	"testing"

	"oxymoq/pkg/media"
)

// Configurations that ffmpeg made: 320x180 at 30 pictures a second, baseline
// without and high profile with B-pictures, and 48 kHz stereo.
const (
	avcC     = "0142c00dffe100176742c00dda05067e7c0440000003004000000f03c50aa801000468ce0fc8"
	avcCHigh = "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000468ef8fcbfdf8f800"
	hvcC     = "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409" +
		"a10001002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10" + "a200010006" + "4401c073c189"
	av1C = "81000c000a0b000000043cfeccdaf90040"
	asc  = "1190"

	// The parameter sets in them.
	sps = "6742c00dda05067e7c0440000003004000000f03c50aa8"
	pps = "68ce0fc8"
	vps = "40010c01ffff01600000030090000003000003003c959409"
	// spsHEVC and ppsHEVC are those of hvcC.
	spsHEVC = "42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003c10"
	ppsHEVC = "4401c073c189"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func format(t testing.TB, c media.Codec, config string) *media.Format {
	t.Helper()
	f, err := media.ParseFormat(c, unhex(t, config))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
