package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func date() *Program {
	p := New("moqdateserver", "publishes the date, one object a second")
	var port int
	var quic bool
	p.Flags.Group("Listening")
	p.Flags.IntVar(&port, "port", 9667, "UDP `port` to listen on")
	p.Flags.BoolVar(&quic, "quic", true, "accept raw QUIC connections, which is what every draft has, besides all the others that there are")
	p.Example("moqdateserver -port 4433", "listen on another port")
	return p
}

func exec(t *testing.T, ctx context.Context, run func(context.Context, *Env) error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &Env{In: strings.NewReader(""), Out: &out, Err: &errs}
	code = date().Exec(ctx, env, args, environment(nil), run)
	return code, out.String(), errs.String()
}

func returning(err error) func(context.Context, *Env) error {
	return func(context.Context, *Env) error { return err }
}

func TestExitCodesAndSentences(t *testing.T) {
	stopped, stop := context.WithCancelCause(t.Context())
	stop(&SignalError{Signal: os.Interrupt})
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		args   []string
		result error
		code   int
		stderr string
	}{
		{"success is silent", t.Context(), nil, nil, ExitDone, ""},
		{"failure is one sentence", t.Context(), nil, errors.New("no relay\n  at host."), ExitFailed, "moqdateserver: no relay at host.\n"},
		{"stopping by signal is success", stopped, nil, context.Cause(stopped), ExitDone, ""},
		{"so is what stopping leads to", stopped, nil, fmt.Errorf("accept: %w", context.Canceled), ExitDone, ""},
		{"a real failure while stopping is one", stopped, nil, errors.New("disk full"), ExitFailed, "moqdateserver: disk full.\n"},
		{"cancelling without a signal is failure", t.Context(), nil, context.Canceled, ExitFailed, "moqdateserver: context canceled.\n"},
		{"wrong use found late", t.Context(), nil, fmt.Errorf("wrapped: %w", Usagef("-a needs -%s", "b")), ExitUsage,
			"moqdateserver: wrapped: -a needs -b; moqdateserver -help explains.\n"},
		{"a code of its own", t.Context(), nil, fmt.Errorf("wrapped: %w", &CodeError{127, Usagef("no such case")}), 127, "moqdateserver: wrapped: no such case.\n"},
		{"an unknown flag", t.Context(), []string{"--prot", "1"}, nil, ExitUsage,
			"moqdateserver: unknown flag --prot, did you mean -port; moqdateserver -help explains.\n"},
		{"an unknown level", t.Context(), []string{"--logging", "LOUD"}, nil, ExitUsage,
			`moqdateserver: -logging: "LOUD": "LOUD" is no level; use ERR, WARN, INFO, DBG1 to DBG9 or DBG; moqdateserver -help explains.` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := exec(t, tt.ctx, returning(tt.result), tt.args...)
			if code != tt.code || stdout != "" || stderr != tt.stderr {
				t.Errorf("code %d, stdout %q, stderr %q\nwant %d and stderr %q", code, stdout, stderr, tt.code, tt.stderr)
			}
		})
	}
}

const wantHelp = `moqdateserver publishes the date, one object a second.

Usage: moqdateserver [flags]

Listening
  -port port  [default 9667, MOQ_PORT]
        UDP port to listen on
  -quic  [default true, MOQ_QUIC]
        accept raw QUIC connections, which is what every draft has, besides
        all the others that there are

Everywhere
  -help
        explain the flags and exit
  -logging levels  [default INFO, MOQ_LOGGING]
        levels of the log, as in INFO or DBG4 or WARN,session=DBG; ERR, WARN,
        INFO, DBG1 to DBG9, DBG for all
  -version
        print the version and exit

Examples
  moqdateserver -port 4433
        listen on another port

-name and --name are the same, and so are -connect_url and -connect-url.
-noname turns a switch off. A flag outweighs its environment variable. Data
goes to standard output, everything else to standard error. Exit codes: 0
done, 1 failed, 2 wrong usage.
`

func TestHelpGoesToStdout(t *testing.T) {
	for _, arg := range []string{"-help", "--help", "-h"} {
		code, stdout, stderr := exec(t, t.Context(), returning(errors.New("must not run")), arg)
		if code != ExitDone || stdout != wantHelp || stderr != "" {
			t.Errorf("%s: code %d, stderr %q, stdout:\n%s", arg, code, stderr, stdout)
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := exec(t, t.Context(), returning(errors.New("must not run")), "--version")
	if want := "moqdateserver of oxymoq " + Version() + "\n"; code != ExitDone || stdout != want {
		t.Errorf("code %d, %q, want %q", code, stdout, want)
	}
	for _, tt := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"an installed module", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		{"a repository", debug.BuildInfo{Main: debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}}}, "devel-0123456789ab"},
		{"neither", debug.BuildInfo{}, "devel"},
	} {
		if got := fromBuild(&tt.info); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRunGetsArgumentsAndLog(t *testing.T) {
	code, stdout, stderr := exec(t, t.Context(), func(_ context.Context, env *Env) error {
		fmt.Fprint(env.Out, env.Args)
		env.Log.Info("hidden")
		env.Log.Warn("shown", "n", 1)
		return nil
	}, "a", "-logging", "WARN", "b")
	if code != ExitDone || stdout != "[a b]" || !strings.HasSuffix(stderr, "WARN shown n=1\n") || strings.Contains(stderr, "hidden") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestFirstSignalStopsSecondForces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		forced := make(chan int, 1)
		signals := make(chan os.Signal)
		ctx, stop := onSignal(t.Context(), signals, &stderr, func(code int) { forced <- code })
		signals <- syscall.SIGTERM
		<-ctx.Done()
		if cause, ok := errors.AsType[*SignalError](context.Cause(ctx)); !ok || cause.Signal != syscall.SIGTERM {
			t.Errorf("cause %v, want SIGTERM", context.Cause(ctx))
		}
		signals <- syscall.SIGTERM // timeout(1) sends it twice
		synctest.Wait()
		if len(forced) > 0 {
			t.Error("the same signal to process and group counts as two")
		}
		time.Sleep(sameWish) // virtual
		signals <- os.Interrupt
		if code := <-forced; code != ExitFailed {
			t.Errorf("forced with code %d, want %d", code, ExitFailed)
		}
		stop()
		stop() // twice does no harm
		if want := "Second signal (interrupt): ending at once, unfinished work is lost.\n"; stderr.String() != want {
			t.Errorf("said %q, want %q", stderr.String(), want)
		}
	})
}

func TestSignalOfTheSystemStops(t *testing.T) {
	ctx, stop := Context(t.Context())
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if _, ok := errors.AsType[*SignalError](context.Cause(ctx)); !ok {
		t.Errorf("cause %v", context.Cause(ctx))
	}
}

func TestContextStopsWithoutSignal(t *testing.T) {
	ctx, stop := Context(t.Context())
	stop()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("cause %v, want context.Canceled", cause)
	}
}
