package streamer

import (
	"io"
	"log/slog"
	"time"

	"oxymoq/pkg/media"
	"oxymoq/pkg/media/flv"
	"oxymoq/pkg/media/remux"
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

// decoder is the source that reads FLV, as tolerantly as that can be read.
type decoder struct {
	reader *flv.Reader
	*remux.Demuxer
}

// demux returns the source for what an input has from here on.
func demux(in io.Reader, log *slog.Logger) *decoder {
	r := flv.NewReader(in, flv.Tolerant())
	d := &decoder{r, remux.NewDemuxer(r)}
	d.Warn = func(err error) { log.Warn("something of the input is left out", "because", err) }
	return d
}

// leftOut is how many pictures and frames of sound could not be used.
func (d *decoder) leftOut() uint64 {
	c, r := d.Counts(), d.reader.Repairs()
	return uint64(c.NoConfig + c.Unsupported + c.Broken + c.OtherTracks + r.Encrypted)
}

// report logs what was wrong and read past.
func (d *decoder) report(log *slog.Logger) {
	if r := d.reader.Repairs(); r != (flv.Repairs{}) {
		log.Warn("the input is not quite right, and was read past that", "headers", r.Headers, "tagSizes", r.Pointers,
			"streamIDs", r.StreamIDs, "encrypted", r.Encrypted, "gaps", r.Gaps, "skippedBytes", r.Skipped, "padding", r.Padding)
	}
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
