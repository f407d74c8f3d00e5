package streamer

import (
	"time"

	"oxymoq/pkg/media"
)

// How much of an input is read before its tracks are made known, so that whoever
// subscribes as soon as they are finds all of them. What is there only later is
// made known then.
const (
	// MaxProbe is the media time from the first sample on.
	MaxProbe = 500 * time.Millisecond
	// MaxProbeSamples bounds the samples that wait.
	MaxProbeSamples = 256
)

// source gives samples in the order of decoding, and io.EOF in the end.
type source interface {
	Next() (*media.Sample, error)
}

// probe is a source of which some samples were read already.
type probe struct {
	from source
	head []*media.Sample
	at   time.Time // when the first one came
	err  error     // after them
}

// look reads until there is a sample of each kind, or no hope for one.
func look(from source) *probe {
	p := &probe{from: from}
	kinds := map[media.Kind]bool{}
	for len(kinds) < 2 && len(p.head) < MaxProbeSamples {
		s, err := from.Next()
		if err != nil {
			p.err = err
			break
		}
		if len(p.head) == 0 {
			p.at = time.Now()
		}
		p.head = append(p.head, s)
		kinds[s.Format.Codec.Kind()] = true
		if s.DTS-p.head[0].DTS > MaxProbe {
			break
		}
	}
	return p
}

// Next returns the samples in their order.
func (p *probe) Next() (*media.Sample, error) {
	if len(p.head) > 0 {
		s := p.head[0]
		p.head[0] = nil
		p.head = p.head[1:]
		return s, nil
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.from.Next()
}
