package hall

import (
	"testing"
	"time"

	"oxymoq/pkg/model"
	"oxymoq/pkg/track"
)

// BenchmarkAcrossDrafts reads a run of 1000 objects with properties as one
// subscriber after another does, in the form in which they came and in another.
func BenchmarkAcrossDrafts(b *testing.B) {
	const objects = 1000
	came := FormOf(model.Draft18, true)
	props, err := EncodeProperties(came, model.Properties{{Type: 0x06, Int: 1 << 40}, {Type: 0x0B, Bytes: []byte{0x12, 0x80, 0xc8}}, {Type: 0x10, Int: 90000}})
	if err != nil {
		b.Fatal(err)
	}
	log := track.New(track.Config{})
	c, _ := log.NewCursor(nobody{})
	defer c.Close()
	w, err := log.OpenSubgroup(track.SubgroupKey{Group: 1}, track.SubgroupInfo{Properties: true, Form: came})
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 200)
	for id := range uint64(objects) {
		if err := w.Append(track.ObjectHeader{ID: id, Properties: props, From: came}, payload); err != nil {
			b.Fatal(err)
		}
	}
	run := c.Next().Run
	for name, form := range map[string]track.Form{"same": came, "16": FormOf(model.Draft16, true), "14": FormOf(model.Draft14, true)} {
		b.Run(name, func(b *testing.B) {
			buf := make([]byte, 0, 16<<10)
			b.ReportAllocs()
			for b.Loop() {
				var r track.Reader
				r.Init(run, track.ReaderOptions{Form: form, Waiter: nobody{}, Last: model.MaxID})
				for n := 0; n < objects; {
					span, state := r.Read(buf, time.Time{})
					if state != track.ReadSpan {
						b.Fatal(state)
					}
					n += span.Objects
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/objects, "ns/object")
		})
	}
}

// nobody is a Waiter that does not.
type nobody struct{}

func (nobody) Wake() {}
