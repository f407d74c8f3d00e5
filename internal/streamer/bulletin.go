package streamer

import (
	"bytes"
	"log/slog"
	"time"

	"oxymoq/pkg/media/catalog"
	"oxymoq/pkg/media/packaging"
	"oxymoq/pkg/moqt"
)

// What is kept of the catalog, of which the newest group has all.
const (
	KeptCatalogs     = 2
	KeptCatalogBytes = 1 << 20
)

// together is the render group of MSF that the tracks of an input share.
const together = 1

// CatalogName returns what the track with the catalog is called: that of hang if
// the packaging is hang's, that of MSF otherwise.
func (s *Streamer) CatalogName() string {
	if s.Packaging == packaging.Hang {
		return catalog.NameHang
	}
	return catalog.NameMSF
}

// bulletin is the track with the catalog: a group with one object each time that
// it changes. A nil one says nothing.
type bulletin struct {
	writer    *moqt.TrackWriter
	packaging packaging.Name
	log       *slog.Logger
	last      []byte // without the time
}

// tell publishes what tracks there are, if that is news. After complete there
// will be no others, and no objects of these.
func (b *bulletin) tell(outputs []*output, complete bool) {
	if b == nil {
		return
	}
	c := &catalog.Catalog{Complete: complete}
	for _, o := range outputs {
		c.Tracks = append(c.Tracks, catalog.Track{
			Name: o.name, Packaging: string(b.packaging), Role: o.kind.String(), Kind: o.kind, Format: o.told,
			Live: !complete, RenderGroup: together,
		})
	}
	plain, err := b.encode(c)
	if err != nil || bytes.Equal(plain, b.last) {
		b.complain(err)
		return
	}
	b.last = plain
	c.Generated = time.Now()
	if plain, err = b.encode(c); err == nil {
		err = b.write(plain)
	}
	b.complain(err)
}

func (b *bulletin) encode(c *catalog.Catalog) ([]byte, error) {
	if b.packaging == packaging.Hang {
		return catalog.AppendHang(nil, c)
	}
	return catalog.AppendMSF(nil, c)
}

func (b *bulletin) write(text []byte) error {
	g, err := b.writer.AppendGroup()
	if err != nil {
		return err
	}
	f := moqt.NewFrame(len(text))
	_, _ = f.Write(text) // never fails
	if err := g.WriteFrame(f); err != nil {
		return err
	}
	return g.Close()
}

// complain tells what went wrong: the media goes on without a catalog.
func (b *bulletin) complain(err error) {
	if err != nil {
		b.log.Warn("the catalog is not up to date", "because", err)
	}
}

// end publishes the last catalog and ends the track.
func (b *bulletin) end(outputs []*output) {
	if b == nil {
		return
	}
	if b.last != nil {
		b.tell(outputs, true)
	}
	_ = b.writer.Close() // never fails
}
