package archtest

// module is the path of the module, as in go.mod.
const module = "oxymoq"

// rule says what one package may import of this module and of others. The
// standard library is free to all.
type rule struct {
	// dir is relative to the module; "/..." includes everything below.
	dir string
	// may are the packages of this module, as directories, in the same form.
	may []string
	// stdOnly forbids other modules too.
	stdOnly bool
	// quic allows the modules that carry connections.
	quic bool
	// why is shown with every violation.
	why string
}

// The leaves, which every room may import.
const (
	leafModel   = "pkg/model"
	leafVarint  = "pkg/varint"
	leafObserve = "pkg/observe"
)

// rules are the arrows of docs/ARCHITECTURE.md. The first row that matches a
// package counts; a package without a row fails the test.
var rules = []rule{
	{dir: leafModel, stdOnly: true,
		why: "the nouns are what everything else is written in, so they depend on nothing"},
	{dir: leafVarint, stdOnly: true,
		why: "integers know nothing of messages"},
	{dir: leafObserve, may: []string{leafModel},
		why: "every room counts here, so it may know none of them"},
	{dir: "pkg/observe/mlog", may: []string{leafModel, "pkg/wire", "pkg/session", "pkg/transport"},
		why: "what sessions say is written down in the words of the wire"},
	{dir: "pkg/wire", may: []string{leafModel, leafVarint},
		why: "bytes are read without a connection, so that every message can be tested from a table"},

	{dir: "pkg/transport", stdOnly: true,
		why: "the interfaces must not know their implementations"},
	{dir: "pkg/transport/quictr", may: []string{"pkg/transport"}, quic: true,
		why: "raw QUIC is one of the few places that name the QUIC library"},
	{dir: "pkg/transport/wttr", may: []string{"pkg/transport", "pkg/transport/quictr"}, quic: true,
		why: "WebTransport is one of the few places that name the QUIC library"},
	{dir: "pkg/transport/listen", may: []string{"pkg/transport", "pkg/transport/quictr", "pkg/transport/wttr"}, quic: true,
		why: "the one UDP port tells raw QUIC from WebTransport by ALPN"},
	{dir: "pkg/transport/qmuxtr", may: []string{"pkg/transport", leafVarint}, stdOnly: true,
		why: "QMux needs TCP and TLS, which the standard library has (ADR 0010)"},
	{dir: "pkg/transport/memtr", may: []string{"pkg/transport"}, stdOnly: true,
		why: "connections in memory run on virtual time, which the standard library alone obeys"},
	{dir: "pkg/transport/transporttest", may: []string{"pkg/transport", "internal/testkit"},
		why: "what every carrier must do is tested through the interfaces only"},

	{dir: "pkg/auth", may: []string{leafModel},
		why: "who may do what is decided without knowing how it was asked"},
	{dir: "pkg/namespace", may: []string{leafModel, leafVarint},
		why: "a prefix tree knows neither sessions nor bytes"},
	{dir: "pkg/track", may: []string{leafModel, leafVarint, leafObserve},
		why: "a track is data: it knows neither who writes nor who reads (ADR 0003)"},
	{dir: "pkg/session", may: []string{leafModel, leafVarint, leafObserve, "pkg/wire", "pkg/transport", "pkg/auth"},
		why: "drafts end here, and a session runs on any carrier"},
	{dir: "pkg/ingress", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/track", "pkg/transport"},
		why: "objects move from session to track; whose they are is the relay's business (ADR 0001)"},
	{dir: "pkg/egress", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/track", "pkg/transport"},
		why: "objects move from track to session; whose they are is the relay's business (ADR 0001)"},
	{dir: "pkg/hall", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/track", "pkg/ingress", "pkg/egress", "pkg/transport", "pkg/wire"},
		why: "it joins the porch to the rooms behind it, and stores and decides nothing (ADR 0001)"},
	{dir: "pkg/dial", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/transport/...", "pkg/wire"},
		why: "from a URL to a session, and no further (ADR 0001)"},
	{dir: "pkg/cluster", may: []string{leafModel, leafVarint, leafObserve},
		why: "a directory says who has what; the relay does the talking (ADR 0004)"},
	{dir: "pkg/relay", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/track", "pkg/ingress", "pkg/egress",
		"pkg/hall", "pkg/dial", "pkg/namespace", "pkg/auth", "pkg/cluster", "pkg/transport"},
		why: "the office decides; bytes, drafts and kinds of carriers it leaves to the rooms (ADR 0001)"},
	{dir: "pkg/moqt", may: []string{leafModel, leafVarint, leafObserve, "pkg/session", "pkg/track", "pkg/ingress", "pkg/egress", "pkg/hall", "pkg/dial", "pkg/auth",
		"pkg/transport/listen", "pkg/transport/wttr"},
		why: "the library's face is thin and knows nothing of relays; of carriers it knows the one port (ADR 0009)"},

	{dir: "pkg/media/flv", stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/nal", stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/h264", may: []string{"pkg/media/nal"}, stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/aac", stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/hevc", may: []string{"pkg/media/nal"}, stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/av1", stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media/opus", stdOnly: true,
		why: "a byte format knows nothing of MoQ"},
	{dir: "pkg/media", may: []string{"pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"}, stdOnly: true,
		why: "a sample is a sample, whatever carries it"},
	{dir: "pkg/media/remux", may: []string{"pkg/media", "pkg/media/flv", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"}, stdOnly: true,
		why: "a file becomes samples and comes of them without MoQ"},
	{dir: "pkg/media/elementary", may: []string{"pkg/media", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"}, stdOnly: true,
		why: "what decoders are given becomes a sample in one way, whatever carries it"},
	{dir: "pkg/media/moqmi", may: []string{leafModel, leafVarint, "pkg/media", "pkg/media/elementary", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"},
		why: "a packaging maps a sample to an object and back, without a session"},
	{dir: "pkg/media/loc", may: []string{leafModel, leafVarint, "pkg/media", "pkg/media/elementary", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"},
		why: "a packaging maps a sample to an object and back, without a session"},
	{dir: "pkg/media/hang", may: []string{leafModel, leafVarint, "pkg/media", "pkg/media/elementary", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus"},
		why: "a packaging maps a sample to an object and back, without a session"},
	{dir: "pkg/media/packaging", may: []string{leafModel, leafVarint, "pkg/media", "pkg/media/elementary", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus", "pkg/media/moqmi", "pkg/media/loc", "pkg/media/hang"},
		why: "a track's packaging is seen in its objects, without a session"},
	{dir: "pkg/media/catalog", may: []string{leafModel, leafVarint, "pkg/media", "pkg/media/elementary", "pkg/media/nal", "pkg/media/h264", "pkg/media/hevc", "pkg/media/av1", "pkg/media/aac", "pkg/media/opus", "pkg/media/packaging"},
		why: "what tracks there are is told without a session"},

	{dir: "pkg/admin", may: []string{leafModel, leafObserve},
		why: "the admin pages show what observe counts; what they change goes through an interface of theirs"},
	{dir: "pkg/admin/client", may: []string{leafModel, leafObserve, "pkg/admin"},
		why: "the typed client of the admin pages needs their types only"},
	{dir: "pkg/tui/...", may: []string{leafObserve, "pkg/admin/client", "pkg/tui/..."},
		why: "a dashboard shows a running program or a remote one alike, so it may know neither"},

	{dir: "internal/cli", stdOnly: true,
		why: "flags, logs and signals are the same for any program"},
	{dir: "internal/config", may: []string{"internal/cli"},
		why: "a configuration file is read by what the flags say, and YAML stays in one place"},
	{dir: "internal/certs", stdOnly: true,
		why: "a certificate is a file"},
	{dir: "internal/sideport", may: []string{"internal/certs"}, stdOnly: true,
		why: "what a browser asks before it connects is about a certificate, not about MoQT"},
	{dir: "internal/watch", stdOnly: true,
		why: "a page is a few files; the browser speaks MoQT itself"},
	{dir: "internal/date", may: []string{leafModel, leafVarint, leafObserve, "pkg/moqt", "pkg/session", "pkg/track", "pkg/egress", "pkg/hall"},
		why: "the date is a track like any other"},
	{dir: "internal/text", may: []string{"internal/cli", "internal/latency", "pkg/media/...", "pkg/dial", "pkg/moqt", leafModel, "pkg/session"},
		why: "a subscriber prints what a Subscriber gives it"},
	{dir: "internal/latency",
		why: "how late objects are is counted alike for media and for text"},
	{dir: "internal/streamer", may: []string{"internal/cli", "pkg/media/...", "pkg/dial", "pkg/moqt", leafModel, "pkg/session"},
		why: "samples become objects of tracks; how they are sent is the library's business"},
	{dir: "internal/receiver", may: []string{"internal/cli", "pkg/auth", "internal/latency", "pkg/media/...", "pkg/dial", "pkg/moqt", leafModel, "pkg/session"},
		why: "objects become samples of a file; how they come is the library's business"},
	{dir: "internal/inspect", may: []string{"internal/latency", "pkg/media/...", "pkg/dial", "pkg/moqt", leafModel, leafObserve, "pkg/session", "pkg/track", "pkg/hall"},
		why: "who looks at a relay keeps the same logs and shows them alike, and draws nothing"},
	{dir: "internal/interop", may: []string{"internal/tap", "pkg/dial", "pkg/session", leafModel, "pkg/wire", "pkg/hall", "pkg/egress", "pkg/track", "pkg/transport"},
		why: "a case opens sessions, writes the streams of its objects itself and tells what came; drafts are the session's business"},
	{dir: "internal/moqtest", may: []string{"internal/tap", "pkg/dial", "pkg/session", leafModel, "pkg/hall", "pkg/egress", "pkg/track"},
		why: "a track of the test protocol is written into a log, received and compared; drafts are the session's business"},
	{dir: "internal/tap", stdOnly: true,
		why: "results are written alike by all who test a relay"},
	{dir: "internal/tap/taptest", stdOnly: true,
		why: "results are read without knowing how they were written"},
	{dir: "internal/screen", may: []string{"internal/cli", leafObserve, "pkg/tui/draw"},
		why: "whether there is a screen is decided alike by all programs, whatever it shows"},
	{dir: "internal/timeline", may: []string{leafModel, "pkg/tui/draw"},
		why: "a trace is read by what stands in it, whoever wrote it"},
	{dir: "internal/door", may: []string{"internal/cli", "internal/certs", "internal/sideport", "pkg/dial", "pkg/session", "pkg/observe/mlog", "pkg/transport/..."},
		why: "flags become listeners and connections, no more"},
	{dir: "internal/probe", may: []string{"internal/certs", leafModel, leafVarint, "pkg/dial", "pkg/session", "pkg/wire", "pkg/transport/..."}, stdOnly: true,
		why: "a server is looked at through the sessions that any program would make"},
	{dir: "internal/testkit/...", may: []string{"pkg/...", "internal/certs", "internal/testkit/..."}, quic: true,
		why: "tests build whole houses, on simulated networks"},
	{dir: "internal/archtest", stdOnly: true,
		why: "a rule about imports has none"},
	{dir: "cmd/...", may: []string{"pkg/...", "internal/..."},
		why: "a command puts parts together, but the carriers hide the QUIC library from it too"},
	{dir: "scripts/servercerts", may: []string{"internal/certs", "internal/cli"}, stdOnly: true,
		why: "a script makes the same certificate as a server, by the same code"},
	{dir: "scripts/...", stdOnly: true,
		why: "a script's program must run before anything else is known to work"},
}

// quicModules may be imported where a rule says so, and their simulated network
// by every test.
var quicModules = []string{"github.com/quic-go/quic-go", "github.com/quic-go/webtransport-go"}

const simulatedNetwork = "github.com/quic-go/quic-go/testutils/simnet"

// bannedModules would bring a second dialect into the project.
var bannedModules = map[string]string{
	"github.com/stretchr/testify": "tests compare with go-cmp; one dialect is enough",
	"github.com/pkg/errors":       "the standard library wraps errors",
	"github.com/sirupsen/logrus":  "the log is log/slog",
}

// pins are versions that must not move by themselves.
var pins = map[string]struct{ version, why string }{
	"github.com/quic-go/quic-go":         {"v0.64.1", "newer ones do not build with webtransport-go v0.13.0 (ADR 0006)"},
	"github.com/quic-go/webtransport-go": {"v0.13.0", "it builds with quic-go v0.64.1 only (ADR 0006)"},
}

// draftDirs may name a draft, as in model.Draft18; tests may do so too.
var draftDirs = []string{leafModel, "pkg/wire", "pkg/session", "pkg/dial", "cmd/..."}

// emptyNames say nothing of what is in a package.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "base", "misc", "shared", "lib"}

// maxLines is the length of a file beyond which it surely holds two concepts.
const maxLines = 500

// longFiles may be longer, for the reason beside them.
var longFiles = map[string]string{}
