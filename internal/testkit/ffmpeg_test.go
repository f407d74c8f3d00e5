package testkit

import "testing"

// TestClip holds what other tests rely on: how many packets a clip has.
func TestClip(t *testing.T) {
	path := Clip{Seconds: 1, BFrames: 2, Hertz: 44100, Channels: 1}.File(t)
	Decodes(t, path)
	var pictures, keys, frames int
	for _, p := range Packets(t, path) {
		switch {
		case p.Kind == "video":
			pictures++
			if p.Key {
				keys++
			}
		case p.Kind == "audio":
			frames++
		}
	}
	if pictures != 30 || keys != 1 || frames < 43 || frames > 46 {
		t.Errorf("%d pictures, %d of them keys, %d frames of audio", pictures, keys, frames)
	}
}
