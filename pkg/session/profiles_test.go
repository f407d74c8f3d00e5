package session

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"oxymoq/pkg/model"
	"oxymoq/pkg/transport/memtr"
	"oxymoq/pkg/wire"
)

func TestProfiles(t *testing.T) {
	seen := map[string]bool{NoProfile: true}
	for _, p := range Profiles() {
		if seen[p.Name] || p.Quirks == (Quirks{}) {
			t.Errorf("profile %q is there twice or says nothing", p.Name)
		}
		seen[p.Name] = true
		if named, err := ProfileNamed(p.Name); err != nil || named.Quirks != p.Quirks {
			t.Errorf("by the name %s: %+v, %v", p.Name, named, err)
		}
		for _, name := range p.Implementations {
			if got := profileOf(&wire.Setup{Implementation: model.Some(name)}); got.Name != p.Name {
				t.Errorf("%q is taken for %s, want %s", name, got.Name, p.Name)
			}
		}
	}
	if p, err := ProfileNamed(NoProfile); err != nil || p.Quirks != (Quirks{}) {
		t.Errorf("none: %+v, %v", p, err)
	}
	if _, err := ProfileNamed("nobody"); err == nil || !strings.Contains(err.Error(), "none, moxygen") {
		t.Errorf("unknown: %v", err)
	}
}

// TestProfileOfPeer: what a peer calls itself decides, unless something else does.
func TestProfileOfPeer(t *testing.T) {
	for _, tt := range []struct {
		implementation, chosen string
		strict                 bool
		want                   string
	}{
		{implementation: "Meta MoQ C++ Draft-14", want: "moxygen"},
		{implementation: "imquic 0.0.2/alpha", want: "imquic"},
		{implementation: "imquick", want: NoProfile},
		{implementation: "moq-encoder-player", want: "moq-encoder-player"},
		{implementation: "moq-lite-js", want: "moq-dev-js"},
		{implementation: "moq-lite-rs", want: "moq-dev"},
		{implementation: "another/1", want: NoProfile},
		{want: "unnamed"},
		{chosen: NoProfile, want: NoProfile},
		{strict: true, want: NoProfile},
		{implementation: "imquic 0.0.2/alpha", chosen: "imquic-2026-06", want: "imquic-2026-06"},
		{implementation: "another/1", chosen: "moxygen-2026-08", want: "moxygen-2026-08"},
		{implementation: "moq-lite-js", chosen: NoProfile, want: NoProfile},
		{implementation: "moq-lite-js", strict: true, want: NoProfile},
		{implementation: "moq-lite-js", chosen: "moxygen", strict: true, want: NoProfile},
	} {
		setup := &wire.Setup{}
		if tt.implementation != "" {
			setup.Implementation = model.Some(tt.implementation)
		}
		for _, d := range allDrafts {
			startWith(t, setup, wire.Server, Config{Draft: d, Profile: tt.chosen, Strict: tt.strict}, func(t *testing.T, s *Session, _ *peer) {
				if got := s.Profile(); got.Name != tt.want || s.Quirks() != got.Quirks {
					t.Errorf("%+v, draft %v: taken for %s with %+v", tt, d, got.Name, s.Quirks())
				}
			})
		}
	}
}

// TestProfileOfMoxygen: it has been seen to say nothing of itself but numbers.
func TestProfileOfMoxygen(t *testing.T) {
	number := func(typ, n uint64) model.Properties { return model.Properties{{Type: typ, Int: n}} }
	for _, tt := range []struct {
		draft model.Draft
		setup wire.Setup
		want  string
	}{
		{model.Draft18, wire.Setup{Unknown: number(2, 100)}, "moxygen"},
		{model.Draft18, wire.Setup{Unknown: number(2, 100), Implementation: model.Some(other)}, NoProfile},
		{model.Draft18, wire.Setup{Unknown: number(2, 99)}, "unnamed"},
		{model.Draft18, wire.Setup{Unknown: number(0x40, 100)}, "unnamed"},
		{model.Draft16, wire.Setup{MaxRequestID: model.Some[uint64](100), MaxTokenCacheSize: model.Some[uint64](1024)}, "moxygen"},
		{model.Draft16, wire.Setup{MaxRequestID: model.Some[uint64](100)}, "unnamed"},
		{model.Draft14, wire.Setup{MaxRequestID: model.Some[uint64](100), MaxTokenCacheSize: model.Some[uint64](1024)}, "moxygen"},
		{model.Draft14, wire.Setup{MaxRequestID: model.Some[uint64](101), MaxTokenCacheSize: model.Some[uint64](1024)}, "unnamed"},
	} {
		startWith(t, &tt.setup, wire.Server, Config{Draft: tt.draft}, func(t *testing.T, s *Session, _ *peer) {
			if got := s.Profile().Name; got != tt.want {
				t.Errorf("draft %v, %+v: taken for %s, want %s", tt.draft, tt.setup, got, tt.want)
			}
		})
	}
}

func TestUnknownProfile(t *testing.T) {
	c, _ := memtr.Pair()
	if _, err := Start(t.Context(), c, Config{Role: wire.Client, Profile: "nobody"}); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("Start: %v", err)
	}
	if c.Context().Err() == nil {
		t.Error("the connection stays open")
	}
}

const moxygen, imquic, other = "Meta MoQ C++ Draft-14", "imquic 0.0.2/alpha", "another/1"

// each runs f with a peer that calls itself so, with another, and with one that a
// strict session does not care about. taken says which it is.
func each(t *testing.T, implementation string, role wire.Role, cfg Config, f func(t *testing.T, s *Session, p *peer, taken bool)) {
	t.Helper()
	for _, tt := range []struct {
		name, implementation string
		strict               bool
	}{
		{"known", implementation, false}, {"of another", other, false}, {"strictly", implementation, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := cfg
			cfg.Strict = tt.strict
			startWith(t, &wire.Setup{Implementation: model.Some(tt.implementation)}, role, cfg, func(t *testing.T, s *Session, p *peer) {
				f(t, s, p, tt.name == "known")
			})
		})
	}
}

// TestFilterOfMoxygen: what begins with the largest group has a type of its own.
func TestFilterOfMoxygen(t *testing.T) {
	for d, subscribe := range map[model.Draft]string{
		model.Draft18: "03 0012 00 01 04 6c697665 05 766964656f 01 21 02 80fa",
		model.Draft16: "03 0012 00 01 04 6c697665 05 766964656f 01 21 02 40fa",
		model.Draft14: "03 0013 00 01 04 6c697665 05 766964656f 80 00 01 40fa 00",
	} {
		h := newRecorder()
		each(t, moxygen, wire.Server, Config{Draft: d, Handler: h}, func(t *testing.T, _ *Session, p *peer, taken bool) {
			if d == model.Draft18 {
				st, err := p.conn.OpenStream(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				p.write(st, unhex(t, subscribe))
			} else {
				p.write(p.control, unhex(t, subscribe))
			}
			if !taken {
				p.wantClose("filter 250", model.ProtocolViolation)
				return
			}
			r := <-h.subscribes
			if r.Terms.Filter != (model.Filter{Kind: model.FilterRelative, Back: 1}) {
				t.Errorf("draft %v: the filter is %+v", d, r.Terms.Filter)
			}
			if out, err := r.Accept(Offer{Largest: at(7, 3)}, nil); err != nil || out.Terms().Range.Start != (model.Location{Group: 7}) {
				t.Errorf("draft %v: begins at %+v, %v", d, out.Terms().Range, err)
			}
			p.wantOpen("filter 250")
		})
	}
}

// TestUpdateOfOldMoxygen: its relay said in draft 18 too what is updated.
func TestUpdateOfOldMoxygen(t *testing.T) {
	h := newRecorder()
	each(t, moxygen, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer, taken bool) {
		st := p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack})
		told := make(chan Terms, 1)
		_, err := (<-h.subscribes).Accept(Offer{}, func(_, next Terms, _ model.Opt[uint64]) error { told <- next; return nil })
		if err != nil {
			t.Fatal(err)
		}
		want[*wire.SubscribeOK](t, "accepted", st.next())
		p.write(st, unhex(t, "02 0005 02 00 01 10 00")) // REQUEST_UPDATE 2 of 0: FORWARD 0
		if !taken {
			p.wantClose("Existing Request ID", model.ProtocolViolation)
			return
		}
		if (<-told).Forward {
			t.Error("FORWARD of the update was not read")
		}
		want[*wire.RequestOK](t, "updated", st.nextUpdateAnswer())
		p.wantOpen("Existing Request ID")
	})
}

// TestNamespacesOfImquic: it says whether tracks are to be forwarded when it asks
// for namespaces.
func TestNamespacesOfImquic(t *testing.T) {
	h := newRecorder()
	each(t, imquic, wire.Server, Config{Handler: h}, func(t *testing.T, s *Session, p *peer, taken bool) {
		st, err := p.conn.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.write(st, unhex(t, "50 0007 00 01 01 61 01 10 01"))
		if !taken {
			p.wantClose("FORWARD", model.ProtocolViolation)
			return
		}
		if r := <-h.prefixes; !r.Prefix.Equal(model.Namespace{"a"}) {
			t.Errorf("prefix %v", r.Prefix)
		}
	})
}

// TestFetchWithStatus: older builds of some peers have a status behind the length
// of an empty object on a fetch stream. At the end of the stream it is recognized.
func TestFetchWithStatus(t *testing.T) {
	for _, implementation := range []string{moxygen, imquic} {
		each(t, implementation, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer, taken bool) {
			f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
			if err != nil {
				t.Fatal(err)
			}
			st, _ := p.accept()
			st.answer(&wire.FetchOK{End: model.Location{Group: 9, Object: 2}})
			p.uni(unhex(t, "05 00 1c 09 00 80 02 6869 00 00 03")).Close()
			var got []string
			for {
				item, err := f.Next(t.Context())
				if err != nil {
					if taken && err != io.EOF {
						t.Errorf("Next: %v", err)
					}
					break
				}
				got = append(got, fmt.Sprintf("%v %d", item.Location, item.Kind))
			}
			if !taken {
				p.wantClose("status", model.ProtocolViolation)
				return
			}
			if all := strings.Join(got, ", "); all != "9/0 0, 9/1 1" {
				t.Errorf("received %s", all)
			}
			p.wantOpen("status")
		})
	}
}

// TestFetchWithoutEnd: a FETCH_OK that ends at {0,0} stands for all that was asked for.
func TestFetchWithoutEnd(t *testing.T) {
	each(t, moxygen, wire.Client, Config{}, func(t *testing.T, s *Session, p *peer, taken bool) {
		f, err := s.Fetch(t.Context(), FetchOptions{Track: dateTrack, Range: allOfGroup9})
		if err != nil {
			t.Fatal(err)
		}
		st, _ := p.accept()
		st.answer(&wire.FetchOK{})
		info, err := f.OK(t.Context())
		if !taken {
			p.wantClose("end before start", model.ProtocolViolation)
			return
		}
		if err != nil || info.End != allOfGroup9.End {
			t.Errorf("ends at %v, %v, want %v", info.End, err, allOfGroup9.End)
		}
		p.wantOpen("end before start")
	})
}

// TestFetchStatusIsSent: whoever is known to expect a status gets one.
func TestFetchStatusIsSent(t *testing.T) {
	for profile, want := range map[string]string{
		NoProfile: "05001c09008000", "moxygen": "05001c09008000", "moxygen-2026-08": "05001c0900800000",
	} {
		h := newRecorder()
		start(t, wire.Server, Config{Handler: h, Profile: profile}, func(t *testing.T, _ *Session, p *peer) {
			p.request(&wire.Fetch{RequestID: p.id(), FetchKind: wire.FetchStandalone, Track: dateTrack, Range: allOfGroup9})
			r := <-h.fetches
			if err := r.Accept(FetchInfo{End: model.Location{Group: 9}}); err != nil {
				t.Fatal(err)
			}
			st, enc, b, err := r.Open(t.Context())
			if err == nil {
				b, err = enc.Append(b, wire.FetchItem{Location: model.Location{Group: 9}, Priority: 128})
			}
			if err == nil {
				_, err = st.Write(b)
			}
			if err == nil {
				err = st.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Finish()
			in, err := p.conn.AcceptUniStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(in); err != nil || fmt.Sprintf("%x", got) != want {
				t.Errorf("%s: %x, %v", profile, got, err)
			}
		})
	}
}

// TestStrictSession: what is taken of every peer otherwise ends a strict session,
// or costs the request.
func TestStrictSession(t *testing.T) {
	for _, tt := range []struct {
		name   string
		role   wire.Role
		f      func(t *testing.T, p *peer)
		strict model.SessionCode
	}{
		{"control stream closed first", wire.Server, func(_ *testing.T, p *peer) { p.control.Close() }, model.ProtocolViolation},
		{"parameters as Key-Value-Pairs", wire.Server, func(_ *testing.T, p *peer) {
			p.request(&wire.Subscribe{RequestID: p.id(), Track: dateTrack, Params: wire.Params{SubscriberPriority: model.Some[uint8](155), KeyValues: true}})
		}, model.ProtocolViolation},
	} {
		for _, strict := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, strict %v", tt.name, strict), func(t *testing.T) {
				start(t, tt.role, Config{Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
					tt.f(t, p)
					if strict {
						p.wantClose(tt.name, tt.strict)
					} else {
						p.wantOpen(tt.name)
					}
				})
			})
		}
	}
}

// TestPrefixesOfSharedDrafts: one kind of message asks for namespaces and for
// tracks, so that asking for both in turn is asking twice.
func TestPrefixesOfSharedDrafts(t *testing.T) {
	for _, strict := range []bool{false, true} {
		h := newRecorder()
		start(t, wire.Server, Config{Draft: model.Draft16, Handler: h, Strict: strict}, func(t *testing.T, _ *Session, p *peer) {
			ask := func(o wire.NamespaceOptions) *peerStream {
				return p.request(&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}, Options: o})
			}
			ask(wire.WantNamespaces)
			<-h.prefixes
			st := ask(wire.WantTracks)
			if !strict {
				<-h.prefixes
				return
			}
			if e := want[*wire.RequestError](t, "the second", st.next()); e.Code != model.PrefixOverlap {
				t.Errorf("refused with %v", e.Code)
			}
		})
	}
}

// TestClientsAreAsked: some relays ask every client for its namespaces, or tell it
// theirs. A client that has none refuses and stays.
func TestClientsAreAsked(t *testing.T) {
	startEach(t, allDrafts, wire.Client, Config{}, func(t *testing.T, _ *Session, p *peer) {
		for _, m := range []wire.Message{
			&wire.SubscribeNamespace{RequestID: p.id(), Prefix: model.Namespace{"a"}},
			&wire.PublishNamespace{RequestID: p.id(), Namespace: model.Namespace{"b"}},
		} {
			if e := want[*wire.RequestError](t, requestName(m.Kind()), p.request(m).next()); e.Code != model.NotSupported {
				t.Errorf("%s refused with %v", requestName(m.Kind()), e.Code)
			}
		}
		p.wantOpen("asked")
	})
}

// TestServerDemandsNoScope: most clients send neither PATH nor AUTHORITY, also to
// a strict server, since a URL need not have a path.
func TestServerDemandsNoScope(t *testing.T) {
	for _, strict := range []bool{false, true} {
		check := func(path, authority string) error {
			if path != "" || authority != "" {
				return &model.SessionError{Code: model.InvalidPath}
			}
			return nil
		}
		startEach(t, allDrafts, wire.Server, Config{CheckScope: check, Strict: strict}, func(t *testing.T, s *Session, p *peer) {
			if s.Path() != "" || s.Authority() != "" {
				t.Errorf("path %q, authority %q", s.Path(), s.Authority())
			}
			p.wantOpen("no PATH and no AUTHORITY")
		})
	}
}
