package track

// maxTranslations is how many other forms of one run are kept. There are not so
// many; readers of a further one write headers for themselves.
const maxTranslations = 4

// translation is the headers of a run's objects in a form other than its own.
// They are written once for all readers of the form, by the first that comes to
// an object. Guarded by Track.mu.
type translation struct {
	form    Form
	first   int   // number of the object of the first header
	offsets []int // where each header begins in bytes, and at last where they end
	bytes   []byte
	cost    int64 // what the account was charged
}

// translation returns the headers of a form; nil if too many others are kept.
func (r *Run) translation(f Form) *translation {
	for _, t := range r.translations {
		if t.form == f {
			return t
		}
	}
	if len(r.translations) == maxTranslations {
		return nil
	}
	t := &translation{form: f}
	r.translations = append(r.translations, t)
	return t
}

// header returns the header of the object of a number, nil if it is not there.
func (t *translation) header(number int) []byte {
	if i := number - t.first; i >= 0 && i+1 < len(t.offsets) {
		return t.bytes[t.offsets[i]:t.offsets[i+1]]
	}
	return nil
}

// keep adds the header of an object. What does not follow the last begins anew;
// what comes before the first stays unknown.
func (r *Run) keep(t *translation, number int, header []byte) {
	n := max(len(t.offsets)-1, 0)
	switch {
	case n > 0 && number < t.first:
		return
	case n == 0 || number != t.first+n:
		t.first, t.offsets, t.bytes = number, append(t.offsets[:0], 0), t.bytes[:0]
	case r.trimmed-t.first > n/2: // most of it is of objects that left
		t.dropFront(min(r.trimmed-t.first, n))
	}
	t.bytes = append(t.bytes, header...)
	t.offsets = append(t.offsets, len(t.bytes))
	r.charge(t)
}

// dropFront forgets the first n headers.
func (t *translation) dropFront(n int) {
	cut := t.offsets[n]
	t.bytes = append(t.bytes[:0], t.bytes[cut:]...)
	t.offsets = append(t.offsets[:0], t.offsets[n:]...)
	for i := range t.offsets {
		t.offsets[i] -= cut
	}
	t.first += n
}

// charge brings what the account was charged up to date.
func (r *Run) charge(t *translation) {
	const word = 8 // bytes
	cost := int64(cap(t.bytes)) + word*int64(cap(t.offsets))
	r.track.account.add(cost - t.cost)
	t.cost = cost
}

// forgetTranslations frees them.
func (r *Run) forgetTranslations() {
	for _, t := range r.translations {
		r.track.account.add(-t.cost)
	}
	r.translations = nil
}

// header appends the header of the object that r begins, in the form of r.
func (r *Reader) header(b []byte, e *entry) ([]byte, error) {
	run := r.run
	var kept *translation
	if r.form != run.info.Form && run.info.Properties && (r.prev.Set || r.object == 0) { // it follows the object before it
		if kept = run.translation(r.form); kept != nil {
			if head := kept.header(r.object); head != nil {
				return append(b, head...), nil
			}
		}
	}
	raw, at := r.bytes(e.start, e.start+int64(e.head)), len(b)
	b, err := r.form.AppendObject(b, r.prev, ObjectHeader{
		ID: e.id, Properties: run.info.Form.Properties(raw), From: run.info.Form,
		PayloadLen: r.payloadLen(e), Status: e.status, Immutable: e.sealed,
	})
	if err == nil && kept != nil {
		run.keep(kept, r.object, b[at:])
	}
	return b, err
}
