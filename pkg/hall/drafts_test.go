package hall

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/varint"
	"oxymoq/pkg/wire"
)

var oldDrafts = []model.Draft{model.Draft14, model.Draft16}

// TestFirstObjectIsNotKnown from a draft that does not say it, unless the subgroup
// is named after it.
func TestFirstObjectIsNotKnown(t *testing.T) {
	for _, row := range []struct {
		name   string
		header wire.SubgroupHeader
		old    track.FirstObject
		now    track.FirstObject
	}{
		{"not said", wire.SubgroupHeader{Group: 1}, track.FirstUnknown, track.FirstNo},
		{"said", wire.SubgroupHeader{Group: 1, FirstObject: true}, track.FirstUnknown, track.FirstYes},
		{"named after it", wire.SubgroupHeader{Group: 1, Mode: wire.SubgroupFirstObject}, track.FirstYes, track.FirstNo},
	} {
		for _, d := range append([]model.Draft{model.Draft18}, oldDrafts...) {
			want := row.old
			if d == model.Draft18 {
				want = row.now
			}
			connectedBy(t, d, nil, func(t *testing.T, p *pair) {
				var out *session.Outbound
				p.subscribed = func(r *session.SubscribeRequest) { out = testkit.Must(r.Accept(session.Offer{}, nil))(t) }
				looking := firstLook{make(chan track.FirstObject, 1)}
				testkit.Must(p.client.Subscribe(t.Context(), session.SubscribeOptions{Track: testTrack}, looking))(t)
				synctest.Wait()
				h := row.header
				h.TrackAlias = out.Alias()
				st := testkit.Must(p.server.Conn().OpenUniStream(t.Context()))(t)
				b := wire.FormOf(d, false).AppendObject(h.Append(nil, d), model.Opt[uint64]{}, wire.ObjectHeader{ID: 5, PayloadLen: 1})
				testkit.Must(st.Write(append(b, 'x')))(t)
				if got := <-looking.first; got != want {
					t.Errorf("%s in draft %v: %d, want %d", row.name, d, got, want)
				}
				_ = st.Close()
			})
		}
	}
}

// firstLook is a Receiver that looks at the beginning of a stream.
type firstLook struct{ first chan track.FirstObject }

func (f firstLook) ReceiveDatagram(*session.Datagram) {}
func (f firstLook) ReceiveSubgroup(r *session.SubgroupReader) {
	in := incoming{r: r}
	if _, err := in.Next(); err == nil {
		_, info := in.Subgroup()
		f.first <- info.First
	}
}

// TestSendingInOldDrafts: the track's priority is written where none can be left
// out, and what has no number is refused.
func TestSendingInOldDrafts(t *testing.T) {
	for _, d := range oldDrafts {
		connectedBy(t, d, nil, func(t *testing.T, p *pair) {
			out := Over(p.server)
			b := testkit.Must(out.AppendSubgroupHeader(nil, egress.SubgroupHeader{TrackAlias: 1, Group: 2, Default: 77}))(t)
			h := testkit.Must(wire.ParseSubgroupHeader(d, uint64(b[0]), varint.NewReader(varint.QUIC, b[1:])))(t)
			if want := (d == model.Draft14); h.Priority.Set != want || want && h.Priority.Value != 77 {
				t.Errorf("draft %v: priority %v", d, h.Priority)
			}
			if _, err := out.AppendSubgroupHeader(nil, egress.SubgroupHeader{Group: 1 << 62}); !errors.Is(err, varint.ErrTooLarge) {
				t.Errorf("draft %v: group 2^62: %v", d, err)
			}
			o := track.Object{Location: at(1<<62, 0), Payload: [][]byte{{1}}}
			if err := out.SendDatagram(1, &o, 77); !errors.Is(err, varint.ErrTooLarge) {
				t.Errorf("draft %v: a datagram of group 2^62: %v", d, err)
			}
			enc := out.NewFetchEncoder(0, model.Ascending)
			if _, err := enc.AppendObject(nil, &o, 77); !errors.Is(err, varint.ErrTooLarge) {
				t.Errorf("draft %v: a fetched object of group 2^62: %v", d, err)
			}
			_, err := enc.AppendUnknown(nil, at(1, 0))
			if reset, ok := errors.AsType[*model.StreamError](err); ok != (d == model.Draft14) || ok && reset.Code != model.ResetUnknownObjectStatus {
				t.Errorf("draft %v: an unknown range: %v", d, err)
			}
		})
	}
}

// TestAnswerable: draft 14 has no empty fetch stream.
// Duties in drafts 18, 16, 14: 67.
func TestAnswerable(t *testing.T) {
	o := func(id uint64, s model.ObjectStatus) track.Item {
		return track.Item{Object: &track.Object{Location: at(1, id), Status: s}}
	}
	failed := errors.New("failed")
	for _, row := range []struct {
		name  string
		items []track.Item
		end   error
		want  int // items
		err   error
	}{
		{"nothing", nil, io.EOF, 0, errEmpty},
		{"markers", []track.Item{o(0, model.StatusEndOfGroup)}, io.EOF, 0, errEmpty},
		{"a failure", nil, failed, 0, failed},
		{"objects", []track.Item{o(0, 0), o(1, 0)}, io.EOF, 2, nil},
		{"an object behind a marker", []track.Item{o(0, model.StatusEndOfGroup), o(1, 0)}, io.EOF, 1, nil},
		{"something unknown", []track.Item{{Unknown: model.Range{End: at(1, 1)}}, o(2, 0)}, io.EOF, 2, nil},
	} {
		for _, d := range append([]model.Draft{model.Draft18}, oldDrafts...) {
			connectedBy(t, d, nil, func(t *testing.T, p *pair) {
				rest := row.items
				source, err := Answerable(t.Context(), p.server, egress.SourceFunc(func(context.Context) (track.Item, error) {
					if len(rest) == 0 {
						return track.Item{}, row.end
					}
					it := rest[0]
					rest = rest[1:]
					return it, nil
				}))
				if d != model.Draft14 {
					if err != nil || len(rest) != len(row.items) {
						t.Errorf("%s in draft %v: %v, %d items used", row.name, d, err, len(row.items)-len(rest))
					}
					return
				}
				if !errors.Is(err, row.err) {
					t.Errorf("%s: %v, want %v", row.name, err, row.err)
				}
				if err != nil {
					return
				}
				n := 0
				for {
					if _, err := source.Next(t.Context()); err != nil {
						break
					}
					n++
				}
				if n != row.want {
					t.Errorf("%s: %d items, want %d", row.name, n, row.want)
				}
			})
		}
	}
}
