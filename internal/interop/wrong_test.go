package interop

import (
	"context"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/tap/taptest"
	"oxymoq/pkg/egress"
	"oxymoq/pkg/hall"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// wrong is a relay that does one thing wrong and all else as a relay that knows
// no other sessions would: it accepts what it can, and forwards nothing.
type wrong struct {
	session.Refuse
	setup     func(n int, c transport.Conn) bool // for connections after the first; false: no session is made
	begun     func(n int, s *session.Session)
	subscribe func(*session.SubscribeRequest)
	publish   func(*session.PublishRequest)
	namespace func(*session.NamespaceRequest)
	prefix    func(*session.PrefixRequest)
}

// serve is for inWorld. The first connection, which tells the draft, is served
// without fault.
func (w *wrong) serve(ctx context.Context, n int, c session.Conn) {
	if n > 0 && w.setup != nil && !w.setup(n, c) {
		<-c.Context().Done()
		return
	}
	s, err := session.Start(ctx, c, session.Config{Role: session.Server, Handler: w})
	if err != nil {
		return
	}
	if n > 0 && w.begun != nil {
		w.begun(n, s)
	}
	s.Wait()
}

func (w *wrong) Subscribe(_ context.Context, r *session.SubscribeRequest) {
	if w.subscribe != nil {
		w.subscribe(r)
		return
	}
	_, _ = r.Accept(session.Offer{}, nil)
}

func (w *wrong) Publish(_ context.Context, r *session.PublishRequest) {
	if w.publish != nil {
		w.publish(r)
		return
	}
	_, _ = r.Accept(session.Change{Forward: model.Some(true)}, new(collector))
}

func (w *wrong) PublishNamespace(_ context.Context, r *session.NamespaceRequest) {
	if w.namespace != nil {
		w.namespace(r)
		return
	}
	_ = r.Accept()
}

func (w *wrong) SubscribeNamespace(_ context.Context, r *session.PrefixRequest) {
	if w.prefix != nil {
		w.prefix(r)
		return
	}
	_, _ = r.Accept(nil)
}

// silent answers a request never.
func silent[R interface{ Context() context.Context }](r R) { <-r.Context().Done() }

// refuse refuses a request.
func refuse[R interface{ Reject(error) error }](code model.RequestCode, reason string) func(R) {
	return func(r R) { _ = r.Reject(&model.RequestError{Code: code, Reason: reason}) }
}

// violate closes the session of a request.
func violate[R interface{ Session() *session.Session }](r R) {
	r.Session().Close(model.ProtocolViolation, "no such thing here")
}

// objectsOf returns the objects of a vector.
func objectsOf(name string) []object {
	for _, v := range vectors() {
		if v.name == name {
			return v.objects
		}
	}
	return nil
}

// forwards answers SUBSCRIBE with objects and ends the track with a code and a
// number of streams, absent for the right one.
func forwards(objects []object, code model.DoneCode, count model.Opt[uint64]) *wrong {
	return &wrong{subscribe: func(r *session.SubscribeRequest) {
		out, err := r.Accept(session.Offer{}, nil)
		if err != nil {
			return
		}
		streams, err := (&scene{ctx: r.Context()}).send(out, objects, 0)
		if err == nil {
			_ = out.Done(code, "", model.Some(count.Or(streams)))
		}
	}}
}

// spoilt is objects with one change.
func spoilt(objects []object, change func(*object)) []object {
	some := append([]object(nil), objects...)
	change(&some[1])
	return some
}

var (
	ended  = model.DoneTrackEnded
	actual model.Opt[uint64]
)

// TestWrongRelayFails: no case is passed by a relay that does what the case is
// about wrong, and the result says what was expected and what came.
func TestWrongRelayFails(t *testing.T) {
	perGroup, perObject, props := objectsOf("subscribe-one-subgroup-per-group"), objectsOf("subscribe-one-subgroup-per-object"), objectsOf("subscribe-object-properties")
	for _, tt := range []struct {
		name, test         string
		relay              *wrong
		expected, received string
		took               time.Duration // on virtual time
	}{
		{"no SETUP", "setup-only", &wrong{setup: func(int, transport.Conn) bool { return false }},
			"SETUP of the client", "no answer within 2s", 2 * time.Second},
		{"closed instead of SETUP", "setup-only", &wrong{setup: func(_ int, c transport.Conn) bool {
			pass(settling / 2) // or our SETUP cannot even be sent
			_ = c.CloseWithError(uint64(model.Unauthorized), "not you")
			return false
		}}, "SETUP of the client", `the session closed by the relay with UNAUTHORIZED ("not you")`, 0},
		{"closed after SETUP", "setup-only", &wrong{begun: func(_ int, s *session.Session) {
			pass(settling / 2) // or SETUP is lost
			s.Close(model.InternalError, "out of order")
		}},
			"the session of the client to live", `closed by the relay with INTERNAL_ERROR ("out of order")`, settling},

		{"refused", "announce-only", &wrong{namespace: refuse[*session.NamespaceRequest](model.RequestUnauthorized, "not yours")},
			"PUBLISH_NAMESPACE_OK", `REQUEST_ERROR with UNAUTHORIZED ("not yours")`, 0},
		{"silent", "announce-only", &wrong{namespace: silent[*session.NamespaceRequest]}, "PUBLISH_NAMESPACE_OK", "nothing within 2s", 2 * time.Second},
		{"closed", "announce-only", &wrong{namespace: violate[*session.NamespaceRequest]},
			"PUBLISH_NAMESPACE_OK", `the session closed by the relay with PROTOCOL_VIOLATION ("no such thing here")`, 0},
		{"closed at the end", "publish-namespace-done", &wrong{namespace: func(r *session.NamespaceRequest) {
			_ = r.Accept()
			<-r.Context().Done()
			violate(r)
		}}, "the session of the publisher to live", "PROTOCOL_VIOLATION", settling},

		{"accepted", "subscribe-error", new(wrong), "REQUEST_ERROR", "SUBSCRIBE_OK", 0},
		{"silent", "subscribe-error", &wrong{subscribe: silent[*session.SubscribeRequest]}, "REQUEST_ERROR", "nothing within 2s", 2 * time.Second},
		{"accepted", "rendezvous-timeout", new(wrong), "REQUEST_ERROR with TIMEOUT", "SUBSCRIBE_OK", 0},
		{"another code", "rendezvous-timeout", &wrong{subscribe: refuse[*session.SubscribeRequest](model.DoesNotExist, "")},
			"REQUEST_ERROR with TIMEOUT", "REQUEST_ERROR with DOES_NOT_EXIST", 0},
		{"too late", "rendezvous-timeout", &wrong{subscribe: silent[*session.SubscribeRequest]}, "REQUEST_ERROR with TIMEOUT", "nothing within 2s", 2 * time.Second},

		{"no publisher found", "announce-subscribe", &wrong{subscribe: refuse[*session.SubscribeRequest](model.DoesNotExist, "")},
			"SUBSCRIBE_OK", "REQUEST_ERROR with DOES_NOT_EXIST", 0},
		{"not routed", "announce-subscribe", new(wrong), "SUBSCRIBE of moq.2dtest-interop--test.2dtrack at the publisher", "nothing within 3s", 3 * time.Second},
		{"one connection too many", "announce-subscribe", &wrong{setup: func(n int, _ transport.Conn) bool { return n < 2 }},
			"SETUP of the subscriber", "within", 2 * time.Second},
		{"never answered", "subscribe-before-announce", &wrong{subscribe: silent[*session.SubscribeRequest]},
			"SUBSCRIBE_OK or REQUEST_ERROR", "nothing within 3.5s", 3500 * time.Millisecond},

		{"refused", "publish-track-only", &wrong{publish: refuse[*session.PublishRequest](model.Uninterested, "")}, "PUBLISH_OK", "REQUEST_ERROR with UNINTERESTED", 0},
		{"closed when objects come", "publish-without-subscriber", &wrong{publish: func(r *session.PublishRequest) {
			in, err := r.Accept(session.Change{Forward: model.Some(true)}, new(collector))
			if err == nil {
				<-in.Done()
				violate(r)
			}
		}}, "the session of the publisher to live", "PROTOCOL_VIOLATION", settling},
		{"impatient", "publish-track-subscribe", &wrong{subscribe: refuse[*session.SubscribeRequest](model.DoesNotExist, "")},
			"SUBSCRIBE_OK", "REQUEST_ERROR with DOES_NOT_EXIST", 0},
		{"another payload", "publish-track-subscribe", forwards(single("of yesterday"), ended, actual),
			"a payload length of 30", "a payload length of 12", 0},
		{"nothing is wanted", "publish-track-subscribe", &wrong{publish: func(r *session.PublishRequest) {
			_, _ = r.Accept(session.Change{Forward: model.Some(false)}, new(collector))
		}}, "the forwarding state 1", "nothing within 10s", 10 * time.Second},
		{"no object", "publish-to-pending-subscription", forwards(nil, ended, model.Some(uint64(1))), "object 0/0", "not that", session.DefaultDoneWait},
		{"no end", "publish-to-pending-subscription", new(wrong), "PUBLISH_DONE with TRACK_ENDED", "nothing within 10s", 10 * time.Second},

		{"no news", "subscribe-namespace-lifecycle", new(wrong), "NAMESPACE", "nothing within 5s", 5 * time.Second},
		{"refused", "subscribe-namespace-lifecycle", &wrong{prefix: refuse[*session.PrefixRequest](model.NotSupported, "")},
			"SUBSCRIBE_NAMESPACE_OK", "REQUEST_ERROR with NOT_SUPPORTED", 0},
		{"news of others", "subscribe-namespace-lifecycle", &wrong{prefix: func(r *session.PrefixRequest) {
			if feed, err := r.Accept(nil); err == nil {
				_ = feed.Namespace(model.Namespace{"elsewhere"})
			}
		}}, "NAMESPACE", "NAMESPACE of elsewhere below it", 0},
		{"no news of the end", "subscribe-namespace-lifecycle", &wrong{prefix: func(r *session.PrefixRequest) {
			if feed, err := r.Accept(nil); err == nil {
				_ = feed.Namespace(nil)
			}
		}}, "NAMESPACE_DONE", "nothing within 5s", 5 * time.Second},

		{"not routed", "data-subgroup-basic", new(wrong), "SUBSCRIBE of", "nothing within 15s", 15 * time.Second},
		{"nothing is wanted", "data-subgroup-basic", &wrong{namespace: func(r *session.NamespaceRequest) {
			if r.Accept() == nil {
				_, _ = r.Session().Subscribe(r.Context(), session.SubscribeOptions{
					Track: model.FullTrackName{Namespace: r.Namespace, Name: "track"}, Change: session.Change{Forward: model.Some(false)},
				}, new(collector))
			}
		}}, "the forwarding state 1 for the publisher", "nothing within 15s", 15 * time.Second},
		{"another end", "subscribe-one-subgroup-per-group", forwards(perGroup, model.DoneSubscriptionEnded, actual),
			"PUBLISH_DONE with TRACK_ENDED", "PUBLISH_DONE with SUBSCRIPTION_ENDED", 0},
		{"too small a Stream Count", "subscribe-one-subgroup-per-group", forwards(perGroup, ended, model.Some(uint64(1))),
			"PUBLISH_DONE with a Stream Count of 2", "it with a Stream Count of 1", 0},
		{"no Stream Count", "subscribe-one-subgroup-per-group", &wrong{subscribe: func(r *session.SubscribeRequest) {
			if out, err := r.Accept(session.Offer{}, nil); err == nil {
				_, _ = (&scene{ctx: r.Context()}).send(out, perGroup, 0)
				_ = out.Done(ended, "", model.Opt[uint64]{})
			}
		}}, "PUBLISH_DONE with a Stream Count of 2", "it with a Stream Count that tells nothing", session.DefaultDoneWait},
		{"too great a Stream Count", "subscribe-one-subgroup-per-group", forwards(perGroup, ended, model.Some(uint64(3))),
			"PUBLISH_DONE with a Stream Count of 2", "it with a Stream Count of 3", session.DefaultDoneWait},
		{"too many streams", "subscribe-one-subgroup-per-group", &wrong{subscribe: func(r *session.SubscribeRequest) {
			out, err := r.Accept(session.Offer{}, nil)
			if err != nil {
				return
			}
			over := hall.Over(r.Session())
			stream, err := over.OpenUniStream(r.Context())
			if err != nil {
				return
			}
			header, err := over.AppendSubgroupHeader(nil, egress.SubgroupHeader{TrackAlias: out.Alias(), Group: 9, FirstObject: true})
			if err != nil {
				return
			}
			_, _ = stream.Write(header)
			_ = stream.Close()
			_, _ = (&scene{ctx: r.Context()}).send(out, perGroup, 0)
			pass(time.Second) // all streams have ended
			_ = out.Done(ended, "", model.Some(uint64(2)))
		}}, "2 streams, as the Stream Count", "3 streams", time.Second},
		{"an object is missing", "subscribe-one-subgroup-per-group", forwards(perGroup[:5], ended, actual), "object 1/2", "not that", 0},
		{"one too many", "subscribe-one-subgroup-per-group", forwards(append(laid(spot{7, 0, 0}), perGroup...), ended, actual),
			"nothing more", "object 7/0", 0},
		{"one twice", "subscribe-one-subgroup-per-object", forwards(append(laid(spot{0, 5, 2}), perObject...), ended, actual), "object 0/2 once", "it twice", 0},
		{"another priority", "subscribe-one-subgroup-per-object", forwards(spoilt(perObject, func(o *object) { o.priority = 128 }), ended, actual),
			"object 0/1 with the Publisher Priority 200", "it with the Publisher Priority 128", 0},
		{"another subgroup", "subscribe-one-subgroup-per-object", forwards(spoilt(perObject, func(o *object) { o.subgroup = 9 }), ended, actual),
			"object 0/1 with the Subgroup ID 1", "it with the Subgroup ID 9", 0},
		{"another payload", "subscribe-two-subgroups-per-group", forwards(spoilt(objectsOf("subscribe-two-subgroups-per-group"), func(o *object) { o.payload = "tttttttu" }), ended, actual),
			"the payload tttttttt", "the payload tttttttu", 0},
		{"no properties", "subscribe-object-properties", forwards(spoilt(props, func(o *object) { o.properties = nil }), ended, actual), "the properties [{", "the properties []", 0},
		{"a datagram", "subscribe-nonzero-start-group", &wrong{subscribe: func(r *session.SubscribeRequest) {
			out, err := r.Accept(session.Offer{}, nil)
			if err == nil {
				_ = r.Session().Conn().SendDatagram((&session.Datagram{TrackAlias: out.Alias(), Group: 5}).Append(nil, r.Session().Draft()))
				_ = out.Done(ended, "", model.Some(uint64(2)))
			}
		}}, "streams of subgroups", "object 5/0 comes in a datagram", session.DefaultDoneWait},
		{"a reset", "subscribe-nonzero-start-object", &wrong{subscribe: func(r *session.SubscribeRequest) {
			out, err := r.Accept(session.Offer{}, nil)
			if err != nil {
				return
			}
			some := objectsOf("subscribe-nonzero-start-object")
			w := &writer{s: &scene{ctx: r.Context()}, out: out, open: map[subgroupKey]*subgroup{}, left: map[subgroupKey]int{{}: 9}, properties: map[subgroupKey]bool{}}
			if w.write(some[0]) != nil {
				return
			}
			w.open[some[0].key()].stream.SetReliableBoundary()
			w.open[some[0].key()].stream.CancelWrite(uint64(model.ResetDeliveryTimeout))
			_ = out.Done(ended, "", model.Some(uint64(1)))
		}}, "streams of subgroups that end with FIN", "ends without FIN: the stream cancelled with DELIVERY_TIMEOUT", 0},
	} {
		t.Run(tt.test+", "+tt.name, func(t *testing.T) {
			inWorld(t, tt.relay.serve, func(t *testing.T, w *world) {
				began := time.Now()
				err := Run(t.Context(), w.cfg, named(t, tt.test))
				took := time.Since(began)
				d, bad := taptest.Parse(w.out.String())
				if err == nil || bad != nil || len(d.Points) != 1 || d.Points[0].OK {
					t.Fatalf("%v, %v\n%s", err, bad, w.out.String())
				}
				got := d.Points[0].Fields
				if !strings.Contains(got["expected"], tt.expected) || !strings.Contains(got["received"], tt.received) || got["message"] == "" {
					t.Errorf("expected: %s\nreceived: %s\nwant %q and %q", got["expected"], got["received"], tt.expected, tt.received)
				}
				if took < tt.took || took > tt.took+time.Second {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
			})
		})
	}
}
