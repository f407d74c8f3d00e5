package track

import (
	"strings"
	"testing"

	"oxymoq/pkg/model"
)

// countingForm counts the headers that it writes.
type countingForm struct {
	testForm
	id    int
	wrote *int
}

func (f countingForm) AppendObject(b []byte, prev model.Opt[uint64], h ObjectHeader) ([]byte, error) {
	*f.wrote++
	h.From = formA
	return f.testForm.AppendObject(b, prev, h)
}

// TestHeadersOfAnotherFormAreWrittenOnce for all readers that read the objects one
// after the other, however far apart they are.
func TestHeadersOfAnotherFormAreWrittenOnce(t *testing.T) {
	const objects = 100
	wrote := 0
	form := countingForm{formB.(testForm), 0, &wrote}
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	bring(t, w, 0)
	run := runs(tr)
	ahead, behind := newReader(run[0], form), newReader(run[0], form)
	defer behind.Close()
	var first, second []byte
	for id := range uint64(objects) {
		if id > 0 {
			must(t, w.Append(ObjectHeader{ID: 2 * id, Properties: []byte("some")}, []byte("payload")))
		}
		b, _ := drain(t, ahead)
		first = append(first, b...)
		if id%7 == 0 {
			b, _ = drain(t, behind)
			second = append(second, b...)
		}
	}
	if wrote != objects {
		t.Errorf("wrote %d headers for %d objects and two readers", wrote, objects)
	}
	b, _ := drain(t, behind)
	if second = append(second, b...); string(first) != string(second) {
		t.Error("two readers of one form read different bytes")
	}
	// One that joins has nothing before its first object, and goes on like others.
	ahead.Close()
	late := new(Reader)
	late.Init(run[0], ReaderOptions{Form: form, Waiter: &bell{}, First: objects, Last: model.MaxID})
	defer late.Close()
	b, _ = drain(t, late)
	if got, _ := form.decode(b); len(got) != objects/2 || got[0].id != objects || got[0].props != "some" {
		t.Errorf("a reader that joined got %v", got)
	}
	if wrote != objects+1 {
		t.Errorf("the one that joined made %d headers be written, want its first", wrote-objects)
	}
}

// TestTranslationsAreBounded: in number, and by what the track holds.
func TestTranslationsAreBounded(t *testing.T) {
	wrote := 0
	budget := NewBudget(0)
	tr := New(Config{Budget: budget})
	w := open(t, tr, 1, 0)
	payload := []byte(strings.Repeat("x", 5000))
	var readers []*Reader
	for id := range uint64(200) {
		must(t, w.Append(ObjectHeader{ID: id, Properties: payload[:100]}, payload))
		if id == 0 {
			for n := range maxTranslations + 2 {
				readers = append(readers, newReader(runs(tr)[0], countingForm{formB.(testForm), n, &wrote}))
			}
		}
		for _, r := range readers {
			if b, _ := drain(t, r); len(b) == 0 {
				t.Fatal("nothing to read")
			}
		}
		tr.mu.Lock()
		tr.lookup(1).runs[0].trim()
		tr.mu.Unlock()
	}
	tr.mu.Lock()
	run := tr.lookup(1).runs[0]
	if n := len(run.translations); n != maxTranslations {
		t.Errorf("%d forms are kept", n)
	}
	for _, kept := range run.translations {
		if n := len(kept.offsets) - 1; n > 3*len(run.index)+1 || len(kept.bytes) > 200*n {
			t.Errorf("%d headers of %d bytes are kept for %d objects", n, len(kept.bytes), len(run.index))
		}
	}
	tr.mu.Unlock()
	for _, r := range readers {
		r.Close()
	}
	tr.Discard()
	if n := budget.Used(); n != 0 {
		t.Errorf("%d bytes are left", n)
	}
}

// TestTranslationBeginsAnew where a reader goes on that nobody has come before.
func TestTranslationBeginsAnew(t *testing.T) {
	wrote := 0
	form := countingForm{formB.(testForm), 0, &wrote}
	tr := New(Config{})
	w := open(t, tr, 1, 0)
	for id := range uint64(10) {
		must(t, w.Append(ObjectHeader{ID: id, Properties: []byte("some")}, []byte("x")))
	}
	must(t, w.Close())
	run := runs(tr)[0]
	read := func(first, last uint64) {
		r := new(Reader)
		r.Init(run, ReaderOptions{Form: form, Waiter: &bell{}, First: first, Last: last})
		defer r.Close()
		b, _ := drain(t, r)
		if got, _ := form.decode(b); len(got) != int(last-first)+1 || got[len(got)-1].id != last {
			t.Errorf("%d to %d: %v", first, last, got)
		}
	}
	for _, row := range []struct{ first, last, writes uint64 }{
		{0, 3, 4}, {0, 3, 0}, // kept: 0 to 3
		{5, 8, 4}, {5, 8, 1}, // kept: 6 to 8
		{0, 4, 5}, {0, 9, 7}, // what comes before is not kept; 9 is
		{6, 9, 1},
	} {
		before := wrote
		if read(row.first, row.last); wrote-before != int(row.writes) {
			t.Errorf("%d to %d made %d headers be written, want %d", row.first, row.last, wrote-before, row.writes)
		}
	}
}
