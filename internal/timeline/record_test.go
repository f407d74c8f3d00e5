package timeline_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oxymoq/internal/certs"
	"oxymoq/internal/testkit"
	"oxymoq/internal/timeline"
	"oxymoq/pkg/dial"
	"oxymoq/pkg/model"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
	"oxymoq/pkg/transport"
	"oxymoq/pkg/transport/listen"
	"oxymoq/pkg/transport/quictr"
	"oxymoq/pkg/wire"
)

var update = flag.Bool("update", false, "record the traces of testdata, and write what is shown of them")

func TestMain(m *testing.M) { testkit.Main(m) }

var track = model.FullTrackName{Namespace: model.Namespace{"live", "cam"}, Name: "video"}

// publisher has a track of four groups, of which it gives up the third, and some
// datagrams.
type publisher struct {
	session.Refuse
	t  *testing.T
	at *testkit.Node
}

// object appends an object of so many bytes.
func object(b []byte, prev model.Opt[uint64], id, size uint64) []byte {
	form := wire.FormOf(model.Draft18, false)
	return append(form.AppendObject(b, prev, wire.ObjectHeader{ID: id, PayloadLen: size}), make([]byte, size)...)
}

func (p *publisher) Subscribe(ctx context.Context, r *session.SubscribeRequest) {
	out := testkit.Must(r.Accept(session.Offer{Largest: model.Some(model.Location{Group: 3, Object: 4})}, nil))(p.t)
	d, conn := out.Session().Draft(), out.Session().Conn()
	for group := range uint64(4) {
		time.Sleep(5 * time.Millisecond)
		st := testkit.Must(conn.OpenUniStream(ctx))(p.t)
		head := wire.SubgroupHeader{TrackAlias: out.Alias(), Group: 4 + group, Mode: wire.SubgroupZero, EndOfGroup: true}
		b := head.Append(nil, d)
		var prev model.Opt[uint64]
		for id := range uint64(3) {
			if group == 1 && id == 1 {
				p.at.Cut() // the packets of this object are lost
			}
			b = object(b, prev, id, 900)
			testkit.Must(st.Write(b))(p.t)
			b, prev = b[:0], model.Some(id)
			time.Sleep(33 * time.Millisecond)
			p.at.Restore()
			if group == 2 && id == 1 {
				st.CancelWrite(uint64(model.ResetDeliveryTimeout))
				break
			}
		}
		testkit.Equal(p.t, st.Close() != nil, group == 2)
	}
	for id := range uint64(2) {
		g := wire.Datagram{TrackAlias: out.Alias(), Group: 8, Object: id, Payload: make([]byte, 100)}
		testkit.NoErr(p.t, conn.SendDatagram(g.Append(nil, d)))
		time.Sleep(10 * time.Millisecond)
	}
	testkit.NoErr(p.t, out.Done(model.DoneTrackEnded, "over", model.Some(uint64(4))))
	time.Sleep(50 * time.Millisecond)
	testkit.NoErr(p.t, out.Session().Goaway("", time.Second))
}

// viewer reads everything.
type viewer struct{}

func (viewer) ReceiveDatagram(*session.Datagram) {}
func (viewer) ReceiveSubgroup(r *session.SubgroupReader) {
	for {
		if _, err := r.Next(); err != nil {
			return
		}
	}
}

// record has a session over a network whose ways take 20 ms, and returns the
// files of the client and the server.
func record(t *testing.T) (client, server string) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		net := testkit.NewNetwork(t, 1)
		way := testkit.Link{Delay: 10 * time.Millisecond}
		there, here := net.Node("10.0.0.1:4433", way, way), net.Node("10.0.0.2:1234", way, way)
		traces := testkit.Must(mlog.OpenDir(mlog.DirConfig{Path: dir, MaxBytes: 1 << 20, Title: "test", Version: "v1"}))(t)
		cert := testkit.Must(certs.SelfSigned(time.Now()))(t)
		conf := listen.Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Protocols: []string{"moqt-18"}, QUIC: quictr.Options{Trace: traces.Connection}}
		l := testkit.Must(listen.On(there, conf))(t)
		via := testkit.Must(listen.On(here, conf))(t) // for its socket
		served := make(chan struct{})
		go func() {
			defer close(served)
			conn := testkit.Must(l.Accept(t.Context()))(t)
			testkit.Must(session.Start(t.Context(), conn, session.Config{Role: session.Server, Handler: &publisher{t: t, at: there}, Trace: traces.Session}))(t).Wait()
		}()
		s := testkit.Must(dial.Dial(t.Context(), testkit.Must(dial.Parse("moqt://10.0.0.1:4433/live"))(t), dial.Options{
			Connect: func(ctx context.Context, addr string, c *tls.Config) (transport.Conn, error) {
				c.InsecureSkipVerify, c.NextProtos = true, []string{"moqt-18"}
				return quictr.Dial(ctx, addr, c, quictr.Options{Via: via.Transport(), Trace: traces.Connection})
			},
			Session: session.Config{Trace: traces.Session},
		}))(t)
		in := testkit.Must(s.Subscribe(t.Context(), session.SubscribeOptions{Track: track}, viewer{}))(t)
		_, err := s.TrackStatus(t.Context(), model.FullTrackName{Namespace: track.Namespace, Name: "audio"})
		testkit.ErrAs[*model.RequestError](t, err)
		<-in.Context().Done()
		<-s.GoawayReceived()
		time.Sleep(15 * time.Millisecond)
		s.Close(model.NoError, "leaving as asked")
		s.Wait()
		<-served
		testkit.NoErr(t, l.Close())
		testkit.NoErr(t, via.Close())
		testkit.NoErr(t, traces.Close())
	})
	for _, name := range testkit.Must(filepath.Glob(filepath.Join(dir, "*.sqlog")))(t) {
		if strings.HasSuffix(name, "_client.sqlog") {
			client = name
		} else {
			server = name
		}
	}
	return client, server
}

func open(t *testing.T, name string) *timeline.Trace {
	t.Helper()
	f := testkit.Must(os.Open(name))(t)
	defer f.Close()
	return testkit.Must(timeline.Read(f, filepath.Base(name), ""))(t)
}

// TestRecorded: a session on a network that loses packets is told as it was, with
// the times that its ways take.
func TestRecorded(t *testing.T) {
	client, server := record(t)
	if *update {
		for name, from := range map[string]string{"client": client, "server": server} {
			testkit.NoErr(t, os.WriteFile(filepath.Join("testdata", name+".sqlog"), testkit.Must(os.ReadFile(from))(t), 0o644))
		}
	}
	s := testkit.Must(timeline.Merge(open(t, server), open(t, client)))(t)
	testkit.Equal(t, s.Clocks.Ahead, time.Duration(0))
	testkit.Equal(t, s.Clocks.Trip, 40*time.Millisecond)
	var told []string
	for _, r := range s.Rows {
		if r.Kind == timeline.Connection && r.What == "" || r.Kind == timeline.Loss {
			continue // what QUIC says of itself
		}
		_, to := s.Between(r.Dir)
		if r.Missing || r.Known && (r.Delay < 20*time.Millisecond || r.Delay > 100*time.Millisecond) {
			t.Errorf("%+v", r)
		}
		text, _, _ := strings.Cut(r.Text, ", in ") // the times are not the same in all runs
		told = append(told, strings.TrimSpace(to+" "+r.What+" "+r.Track+" "+text))
	}
	for _, want := range []string{
		"server SETUP  authority 10.0.0.1:4433, path /live",
		"client SETUP",
		"server SUBSCRIBE live/cam/video #0",
		"client SUBSCRIBE_OK live/cam/video alias 0, largest 3/4",
		"server TRACK_STATUS live/cam/audio #2",
		`client REQUEST_ERROR live/cam/audio NOT_SUPPORTED, "this endpoint does not serve such requests"`,
		"client SUBGROUP live/cam/video group 4/0, objects 0–2, 3 objects, 2700 B",
		"client SUBGROUP live/cam/video group 5/0, objects 0–2, 3 objects, 2700 B",
		"client SUBGROUP live/cam/video group 6/0, objects 0–1, 2 objects, 1800 B",
		"client RESET_STREAM live/cam/video DELIVERY_TIMEOUT  group 6/0",
		"client SUBGROUP live/cam/video group 7/0, objects 0–2, 3 objects, 2700 B",
		"client DATAGRAMS live/cam/video group 8, objects 0–1, 2 objects, 200 B",
		`client PUBLISH_DONE live/cam/video TRACK_ENDED, 4 streams, "over"`,
		"client GOAWAY  requests from #4 on, within 1000 ms",
		`server CLOSE  NO_ERROR "leaving as asked"`,
	} {
		if i := slices.Index(told, want); i < 0 {
			t.Errorf("it does not tell: %s", want)
		} else {
			told = slices.Delete(told, i, i+1)
		}
	}
	if len(told) > 0 {
		t.Errorf("it tells also: %q", told)
	}
	if !slices.ContainsFunc(s.Rows, func(r timeline.Row) bool { return r.What == "LOST" && r.Dir == timeline.ToLeft }) {
		t.Error("it does not tell that packets of the server were lost")
	}
}

// TestGolden: what is shown of two traces that were recorded once.
func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sides []string
		f     timeline.Filter
		l     timeline.Layout
		json  bool
	}{
		{"both.txt", []string{"client", "server"}, timeline.Filter{}, timeline.Layout{}, false},
		{"both-100.txt", []string{"client", "server"}, timeline.Filter{}, timeline.Layout{Width: 100}, false},
		{"client-ascii-72.txt", []string{"client"}, timeline.Filter{}, timeline.Layout{Width: 72, ASCII: true}, false},
		{"server-objects.txt", []string{"server"}, timeline.Filter{Track: "video", Kinds: []timeline.Kind{timeline.Data, timeline.Reset, timeline.Loss}}, timeline.Layout{}, false},
		{"both.json", []string{"client", "server"}, timeline.Filter{}, timeline.Layout{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			traces := make([]*timeline.Trace, 2)
			for i, side := range tt.sides {
				traces[i] = open(t, filepath.Join("testdata", side+".sqlog"))
			}
			s := testkit.Must(timeline.Merge(traces[0], traces[1]))(t)
			rows := tt.f.Apply(s.Rows)
			var out bytes.Buffer
			if tt.json {
				testkit.NoErr(t, timeline.JSON(&out, s, rows))
			} else {
				testkit.NoErr(t, timeline.Text(&out, s, rows, tt.l))
			}
			golden := filepath.Join("testdata", tt.name)
			if *update {
				testkit.NoErr(t, os.WriteFile(golden, out.Bytes(), 0o644))
			}
			if diff := cmp.Diff(string(testkit.Must(os.ReadFile(golden))(t)), out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
