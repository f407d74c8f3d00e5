package receiver

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/media"
	"oxymoq/pkg/model"
)

// script plays a text to a Timeline and returns what comes out, in a line for
// each time that something does. Its words are:
//
//	V40 v80 a21    a key picture, another picture, audio with that DTS in ms;
//	               V and a begin a group
//	v80,120        with the PTS too
//	v80#7          with sequence number 7
//	v80@7          in group 7 instead of the next
//	+20            20 ms go by
//	!v !a          something is missing
//	(v (a )v )a    the track is open, closed
//	^v ^a          the track begins anew, with group 0
//	.              flush
type script struct {
	t     *testing.T
	tl    *Timeline
	now   time.Time
	at    map[media.Kind]*model.Location
	out   []string
	lines []string
}

func newScript(t *testing.T) *script {
	s := &script{t: t, now: time.Unix(1000, 0), at: map[media.Kind]*model.Location{media.Video: {}, media.Audio: {}}}
	s.tl = NewTimeline(DefaultHold, func(m *media.Sample) {
		word := "v"
		if m.Format.Codec.Kind() == media.Audio {
			word = "a"
		} else if m.Key {
			word = "V"
		}
		word += strconv.FormatInt(m.DTS.Milliseconds(), 10)
		if m.PTS != m.DTS {
			word += "," + strconv.FormatInt(m.PTS.Milliseconds(), 10)
		}
		s.out = append(s.out, word)
	})
	return s
}

var (
	pictures = &media.Format{Codec: media.H264}
	sounds   = &media.Format{Codec: media.AAC}
)

func kindOf(word string) media.Kind {
	if strings.HasPrefix(word, "a") {
		return media.Audio
	}
	return media.Video
}

// number cuts the number behind the last mark of a word.
func (s *script) number(word *string, mark string) (int64, bool) {
	head, tail, ok := strings.Cut(*word, mark)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(tail, 10, 64)
	testkit.NoErr(s.t, err)
	*word = head
	return n, true
}

func (s *script) sample(word string) {
	k := kindOf(word)
	m := &media.Sample{Format: pictures, Key: word[0] != 'v', Data: []byte(word)}
	if k == media.Audio {
		m.Format = sounds
	}
	at := s.at[k]
	group, placed := s.number(&word, "@")
	switch {
	case placed:
		*at = model.Location{Group: uint64(group)}
	case word[0] == 'v':
		at.Object++
	default:
		*at = model.Location{Group: at.Group + 1}
	}
	if seq, ok := s.number(&word, "#"); ok {
		m.Seq, m.HasSeq = uint64(seq), true
	}
	pts, shifted := s.number(&word, ",")
	dts, err := strconv.ParseInt(word[1:], 10, 64)
	testkit.NoErr(s.t, err)
	m.DTS = time.Duration(dts) * time.Millisecond
	if m.PTS = m.DTS; shifted {
		m.PTS = time.Duration(pts) * time.Millisecond
	}
	s.tl.Add(k, *at, m, s.now, s.now)
}

// pass lets time go by as the program does: with a call whenever one is due.
func (s *script) pass(d time.Duration) {
	for end := s.now.Add(d); ; {
		due := s.tl.Deadline()
		if due.IsZero() || due.After(end) {
			s.now = end
			return
		}
		s.now = due
		s.tl.Expire(s.now)
		s.flushLine()
	}
}

func (s *script) flushLine() {
	if len(s.out) > 0 {
		s.lines = append(s.lines, fmt.Sprintf("%d: %s", s.now.Sub(time.Unix(1000, 0)).Milliseconds(), strings.Join(s.out, " ")))
		s.out = nil
	}
}

func (s *script) play(text string) string {
	s.t.Helper()
	s.lines = nil
	for word := range strings.FieldsSeq(text) {
		switch rest := word[1:]; word[0] {
		case '+':
			s.flushLine()
			ms, err := strconv.Atoi(rest)
			testkit.NoErr(s.t, err)
			s.pass(time.Duration(ms) * time.Millisecond)
		case '!':
			s.tl.Lose(kindOf(rest))
		case '(':
			s.tl.Open(kindOf(rest), s.now)
		case ')':
			s.tl.Close(kindOf(rest), s.now)
		case '^':
			s.tl.Renew(kindOf(rest))
			*s.at[kindOf(rest)] = model.Location{}
		case '.':
			s.tl.Flush(s.now)
		default:
			s.sample(word)
		}
	}
	s.flushLine()
	return strings.Join(s.lines, " | ")
}

func TestTimeline(t *testing.T) {
	const join = "(v (a V1000 a1000 v1040 a1021 a1042 "
	const joined = "0: V0 a0 a21 v40"
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "(v (a +1000 .", ""},
		{"the first key goes out at once", "(v (a V5000", "0: V0"},
		{"an hour's offset", "(v (a V3600000 a3600005 v3600040", "0: V0 a5"},
		{"between tracks by time", join, joined},
		{"what waits is flushed", join + "+1 .", joined + " | 1: a42"},
		{"a sample waits for the other track", join + "+20 v1080 +10 a1063 +10 a1084", joined + " | 20: a42 | 30: a63 | 40: v80"},
		{"no longer than the hold", join + "+100 v1080 +150 v1120 +300", joined + " | 100: a42 | 300: v80 v120"},
		{"a silent track is not awaited again", join + "+400 v1080 +40 v1120", joined + " | 300: a42 | 400: v80 | 440: v120"},
		{"it comes back", join + "+400 v1080 +40 v1120 +10 a1063 +1 .", joined + " | 300: a42 | 400: v80 | 440: v120 | 450: a63"},
		{"it is to come back", join + "+400 (a v1080 +10 v1120 a1063 a1105 +1 .", joined + " | 300: a42 | 410: a63 v80 a105 | 411: v120"},
		{"a track that has ended is not awaited", join + "+20 v1080 )a +1 v1120", joined + " | 20: a42 v80 | 21: v120"},

		{"pictures before the key are dropped", "(v (a v960 v1000 V1040 a1050", "0: V0"},
		{"audio before the key is dropped", "(v (a a900 a921 +100 V920 a942 v960 +10", "100: V0 a1 a22"},
		{"audio before the key, that comes later", "(v (a V1000 a979 a1000 v1040", "0: V0 a0"},
		{"audio waits for the key", "(v (a a900 +1000 a1900 +1 V2000 a2005 v2040", "1001: V0 a5"},
		{"but not for ever", "(v (a a900 +1000 a1900 +1000 a2900 +4000", "5000: a0 a1000 a2000"},
		{"a key after that", "(v (a a900 +5000 a5900 V5905 a5910 .", "5000: a0 | 5000: a5000 V5005 a5010"},
		{"audio only", "(a a900 a921 +400 a942", "0: a0 a21 | 400: a42"},
		{"no video after all", "(v (a a900 a921 +50 )v a942", "50: a0 a21 a42"},
		{"video only", "(v V900 v940 v980", "0: V0 v40 v80"},
		{"the end without a key", "(v (a a900 v940 a921 +1 .", "1: a0 a21"},

		{"pictures out of order", "(v V0,80 v40,200 v80,120 v120,160", "0: V0,80 v40,200 v80,120 v120,160"},
		{"shown before it is decoded", "(v V100 v140,120", "0: V0 v40,20"},
		{"twice by its place", "(v V0 v40 v40@1", "0: V0 v40"},
		{"twice by its number", "(v V0#5 v40#6 V40#6 v80#7", "0: V0 v40 v80"},
		{"back in its group", "(v V0 v40 v20 v80", "0: V0 v40 v41 v80"},
		{"far back in its group", "(v V0 v40 v400 v80 v440 V480", "0: V0 v40 v400 V480"},
		{"a time twice", "(v V0 v0 v0", "0: V0 v1 v2"},
		{"an earlier group", "(v V0@5 V40@6 V20@5 V80@7", "0: V0 V40 V80"},

		{"a loss lasts up to the next key", "(v V0 v40 !v v120 v160 V200 v240", "0: V0 v40 V200 v240"},
		{"a loss before a key", "(v V0 v40 !v V200 v240", "0: V0 v40 V200 v240"},
		{"a loss by numbers", "(v V0#1 v40#2 v120#4 V200#5 v240#6", "0: V0 v40 V200 v240"},
		{"a loss of audio", "(a a0 !a a42 a63", "0: a0 a42 a63"},
		{"a long hole", "(v V0 v40 +20000 !v V20040", "0: V0 v40 | 20000: V20040"},

		{"a restart goes on", "(v V5000 v5040 V0 v40", "0: V0 v40 V80 v120"},
		{"a restart before all is shown", "(v V5000,5080 v5040,5200 V0,80 v40,200", "0: V0,80 v40,200 V160,240 v200,360"},
		{"a restart at an early time", "(v V10#0 v50#1 V0#0 v40#1", "0: V0 v40 V80 v120"},
		{"a restart on the wall clock", "(v V10#5 v50#6 +1000 V1050#0", "0: V0 v40 | 1000: V1040"},
		{"a restart with an earlier group", "(v V0@9 v40 ^v V80@1 v120", "0: V0 v40 V80 v120"},
		{"a restart without a key", "(v V5000 v5040 v0@9 v40 V80", "0: V0 v40 V80"},
		{"a jump", "(v V0 v40 V60000 v60040", "0: V0 v40 V80 v120"},
		{"a jump that the clock explains", "(v V0 v40 +60000 V60040", "0: V0 v40 | 60000: V60040"},
		{"both restart", "(v (a V5000 a5005 v5040 a5026 V0 a5 v40 a26 .", "0: V0 a5 a26 v40 V80 a85 a106 v120"},
		{"audio restarts first", "(v (a V5000 a5005 v5040 a5026 a5 a26 +50 V0 v40 +1 .", "0: V0 a5 a26 v40 | 50: V80 a85 a106 | 51: v120"},
		{"the end of the old epoch comes late", "(v (a V5000 a5005 v5040 V0 a5026 a5 .", "0: V0 a5 a26 v40 V80 a85"},
		{"one restarts, the other is silent", "(v (a V5000 a5005 v5040 V0 +400", "0: V0 a5 | 300: v40 V80"},
		{"then the other too", "(v (a V5000 a5005 v5040 V0 +400 a6 v40 .", "0: V0 a5 | 300: v40 V80 | 400: a86 v120"},

		{"32 bits end", "(v (a V4294967280 a4294967285 a10 v24 a31 v64 .", "0: V0 a5 a26 v40 a47 v80"},
		{"32 bits end before it is shown", "(v V4294967280,20 v24,60", "0: V0,36 v40,76"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testkit.Equal(t, newScript(t).play(tt.in), tt.want)
		})
	}
}
