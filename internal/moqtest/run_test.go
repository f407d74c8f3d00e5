package moqtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"oxymoq/internal/tap/taptest"
	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
)

// some returns cases of the newer suite.
func some(t *testing.T, numbers ...string) []Case {
	t.Helper()
	return testkit.Must(Select(Suite80, numbers))(t)
}

// TestStrict: with a strict publisher those cases pass whose tracks it publishes,
// and those that it must refuse.
func TestStrict(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Strict = true
		if err := Run(t.Context(), w.cfg, Cases(Suite80)); err != nil {
			t.Error(err)
		}
		refused := 0
		for _, r := range w.results {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Case.ID(), r.Err)
			}
			if r.Expect == ExpectRefused {
				refused++
			}
		}
		if refused != 12 {
			t.Errorf("%d tracks were refused", refused)
		}
	})
	for _, tt := range []struct {
		err, want error
	}{
		{&model.RequestError{Code: model.NotSupported}, nil},
		{instead("SUBSCRIBE_OK", &model.RequestError{Code: model.NotSupported, Remote: true}), nil},
		{context.Canceled, context.Canceled},
	} {
		if err := mustRefuse(tt.err); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
	if mustRefuse(nil) == nil {
		t.Error("a track that should be refused came")
	}
}

// TestOtherPublisher: the tracks may be published by somebody else.
func TestOtherPublisher(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		cases := some(t, "1", "7", "73")
		w.cfg.Publish = false
		testkit.ErrIs(t, Run(t.Context(), w.cfg, cases), ErrFailed)
		for _, r := range w.results {
			if r.Err == nil || !strings.Contains(r.Err.Error(), "REQUEST_ERROR with DOES_NOT_EXIST") {
				t.Errorf("%s: %v", r.Case.ID(), r.Err)
			}
		}
		r := &runner{cfg: w.cfg}
		done, err := r.publish(t.Context(), func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		if err := Run(t.Context(), w.cfg, cases); err != nil {
			t.Error(err)
		}
	})
}

// TestUnreachable: without a relay there are no results.
func TestUnreachable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		refused := errors.New("connection refused")
		w.cfg.Dial.Connect = func(context.Context, string, *tls.Config) (transport.Conn, error) { return nil, refused }
		testkit.ErrIs(t, Run(t.Context(), w.cfg, some(t)), refused)
		if len(w.results) > 0 {
			t.Errorf("%+v", w.results)
		}
	})
}

// TestStopped: a run that is stopped says how far it came.
func TestStopped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancelCause(t.Context())
		reason := errors.New("stopped by the test")
		timer := time.AfterFunc(2*time.Second, func() { stop(reason) })
		defer timer.Stop()
		err := Run(ctx, w.cfg, some(t, "1", "49"))
		if err == nil || errors.Is(err, ErrFailed) || err.Error() != "1 of 2 cases were performed: stopped by the test" || len(w.results) != 1 {
			t.Errorf("%v, %d results", err, len(w.results))
		}
	})
}

// TestPublisherLost: when the relay leaves the publisher, the run is over.
func TestPublisherLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		began := time.Now()
		timer := time.AfterFunc(2*time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			_ = w.links[1].CloseWithError(0, "") // the relay's end of the first connection
		})
		defer timer.Stop()
		err := Run(t.Context(), w.cfg, some(t, "49"))
		if err == nil || !strings.Contains(err.Error(), "the session of the publisher has ended") || time.Since(began) > 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestSilence: a relay that answers nothing fails every case in its time.
func TestSilence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Publish = false
		w.serve = func(ctx context.Context, c session.Conn) {
			s, err := session.Start(ctx, c, session.Config{Role: session.Server, Handler: silent{}})
			if err == nil {
				s.Wait()
			}
		}
		cases := some(t, "1", "5", "57", "62", "72", "80")
		w.cfg.Parallel = len(cases)
		began := time.Now()
		testkit.ErrIs(t, Run(t.Context(), w.cfg, cases), ErrFailed)
		longest := slices.MaxFunc(cases, func(a, b Case) int { return int(a.Limit() - b.Limit()) })
		if took := time.Since(began); took > longest.Limit()+time.Second {
			t.Errorf("it took %v", took)
		}
		for _, r := range w.results {
			if r.Err == nil || !strings.Contains(r.Err.Error(), "nothing within "+r.Case.Limit().String()) {
				t.Errorf("%s: %v", r.Case.ID(), r.Err)
			}
		}
	})
}

// silent answers no request.
type silent struct{ session.Refuse }

func (silent) Subscribe(ctx context.Context, _ *session.SubscribeRequest)    { <-ctx.Done() }
func (silent) Fetch(ctx context.Context, _ *session.FetchRequest)            { <-ctx.Done() }
func (silent) Publish(ctx context.Context, _ *session.PublishRequest)        { <-ctx.Done() }
func (silent) SubscribeTracks(ctx context.Context, _ *session.PrefixRequest) { <-ctx.Done() }
func (silent) SubscribeNamespace(ctx context.Context, r *session.PrefixRequest) {
	<-ctx.Done()
}

func TestSelect(t *testing.T) {
	got := some(t, "7", "80-03", "7")
	if len(got) != 2 || got[0].ID() != "80-03" || got[1].ID() != "80-07" {
		t.Errorf("%v", got)
	}
	if n := len(testkit.Must(Select(Suite50, nil))(t)); n != 50 {
		t.Errorf("%d cases", n)
	}
	for _, wrong := range []string{"0", "51", "x", "80-01", ""} {
		_, err := Select(Suite50, []string{wrong})
		if e := testkit.ErrAs[*UnknownError](t, err); e.Case != wrong || !strings.Contains(e.Error(), "1 to 50") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if len(Cases(7)) > 0 {
		t.Error("there is a suite 7")
	}
}

// TestCases: the suites are as moxygen's, by the number of cases of each section.
func TestCases(t *testing.T) {
	for suite, want := range map[Suite][]int{Suite50: {8, 8, 8, 6, 6, 6, 8}, Suite80: {8, 8, 8, 10, 7, 6, 8, 8, 8, 9}} {
		var got []int
		names := map[string]bool{}
		section := ""
		for _, c := range Cases(suite) {
			if c.Section != section {
				section = c.Section
				got = append(got, 0)
			}
			got[len(got)-1]++
			if names[c.Name] || c.Ask.Params.Validate() != nil {
				t.Errorf("%s: %q twice, or %v", c.ID(), c.Name, c.Ask.Params.Validate())
			}
			names[c.Name] = true
		}
		if !slices.Equal(got, want) {
			t.Errorf("suite %v has %v cases", suite, got)
		}
	}
}

// TestReport: results are told in TAP, and in a file of JUnit.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	cases := some(t, "1", "2")
	r := NewReport(&out, 2, "moqtest v1")
	r.Add(Result{Case: cases[0], Took: 1500 * time.Millisecond, Draft: "draft-18", Kind: "quic"})
	r.Add(Result{Case: cases[1], Took: time.Second, Draft: "draft-18", Kind: "quic", Err: failf("object 1/1 did\nnot come <&>"), Note: "why"})
	if err := r.End(nil); err != nil {
		t.Error(err)
	}
	d := testkit.Must(taptest.Parse(out.String()))(t)
	if d.Plan != 2 || !d.Points[0].OK || d.Points[1].OK || d.Points[0].Name != "80-01 "+cases[0].Name || d.Points[0].Fields["duration_ms"] != "1500" ||
		d.Points[1].Fields["message"] != "object 1/1 did\nnot come <&>" || d.Points[1].Fields["expected_refusal"] != "why" || !strings.HasPrefix(d.Comments[1], "1 of 2 passed") {
		t.Errorf("%+v", d)
	}
	var file bytes.Buffer
	if err := r.JUnit(&file); err != nil {
		t.Error(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(file.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Suites) != 1 || got.Suites[0].Tests != 2 || got.Suites[0].Failures != 1 || got.Suites[0].Time != "2.500" ||
		got.Suites[0].Cases[0].Failure != nil || got.Suites[0].Cases[1].Failure.Message != "object 1/1 did\nnot come <&>" {
		t.Errorf("%s", file.String())
	}
	out.Reset()
	r = NewReport(&out, 3)
	if err := r.End(errors.New("the relay has gone")); err != nil {
		t.Error(err)
	}
	if d := testkit.Must(taptest.Parse(out.String()))(t); d.BailOut != "the relay has gone" {
		t.Errorf("%+v", d)
	}
}
