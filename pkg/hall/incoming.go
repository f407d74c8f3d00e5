package hall

import (
	"errors"

	"oxymoq/pkg/ingress"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe"
	"oxymoq/pkg/session"
	"oxymoq/pkg/track"
	"oxymoq/pkg/wire"
)

// Store puts one incoming stream into a log and returns when it has ended. The
// errors are those of ingress.Subgroup; a *track.MalformedError concerns the
// track. counters may be nil.
func Store(r *session.SubgroupReader, log *track.Track, counters *observe.Session) error {
	return malformed(ingress.Subgroup(incoming{r, log}, log, counters), r.Header.Group)
}

// incoming shows a stream to ingress.
type incoming struct {
	r   *session.SubgroupReader
	log *track.Track
}

// Next returns the next object. What draft 14 says does not exist is none: the log
// learns of the gap.
func (i incoming) Next() (track.ObjectHeader, error) {
	for {
		h, err := i.r.Next()
		if err != nil {
			return track.ObjectHeader{}, err
		}
		if h.Status != model.StatusDoesNotExist {
			return header(h, i.r.Form(), i.r.Header.Group)
		}
		if err := i.log.MarkAbsent(model.Location{Group: i.r.Header.Group, Object: h.ID}); err != nil {
			return track.ObjectHeader{}, err
		}
	}
}

func (i incoming) Read(p []byte) (int, error)  { return i.r.Read(p) }
func (i incoming) Cancel(code model.ResetCode) { i.r.Cancel(code) }

// Subgroup names the subgroup. The FIRST_OBJECT bit tells whether the stream
// begins where the subgroup does. In drafts without it only a subgroup that is
// named after its first object does.
func (i incoming) Subgroup() (track.SubgroupKey, track.SubgroupInfo) {
	h := &i.r.Header
	id, _ := i.r.SubgroupID() // known: the first object was read
	first := track.FirstNo
	switch says := wire.TellsFirstObject(i.r.Inbound().Session().Draft()); {
	case h.FirstObject || !says && h.Mode == wire.SubgroupFirstObject:
		first = track.FirstYes
	case !says:
		first = track.FirstUnknown
	}
	return track.SubgroupKey{Group: h.Group, Subgroup: id}, track.SubgroupInfo{
		Priority: h.Priority, EndOfGroup: h.EndOfGroup, First: first,
		Properties: h.Properties, Form: form{i.r.Form()},
	}
}

// StoreDatagram puts an object that came as a datagram into a log. counters may
// be nil.
func StoreDatagram(s *session.Session, d *session.Datagram, log *track.Track, counters *observe.Session) error {
	l := model.Location{Group: d.Group, Object: d.Object}
	if d.Status == model.StatusDoesNotExist {
		return log.MarkAbsent(l)
	}
	out := track.Datagram{
		Location: l, Priority: d.Priority, Status: d.Status, EndOfGroup: d.EndOfGroup,
		Properties: d.Properties, Form: FormOf(s.Draft(), true), Payload: d.Payload,
	}
	if len(d.Properties) > 0 {
		form := wire.PropertyFormOf(s.Draft())
		out.Immutable = wire.HasImmutable(form, d.Properties)
		gaps := wire.ParsePriorGaps(form, d.Properties)
		if err := gaps.Check(l); err != nil {
			return malformed(err, l.Group)
		}
		out.PriorGroupGap, out.PriorObjectGap = gaps.Groups.Or(0), gaps.Objects.Or(0)
	}
	return ingress.Datagram(&out, log, counters)
}

// malformed makes what the codec found wrong with a track the log's error.
func malformed(err error, group uint64) error {
	if pe, ok := errors.AsType[*wire.ParseError](err); ok && pe.Malformed {
		return &track.MalformedError{Location: model.Location{Group: group}, Reason: pe.Error()}
	}
	return err
}
