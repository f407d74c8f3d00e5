package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/pkg/relay"
	"oxymoq/pkg/session"
)

func TestLook(t *testing.T) {
	r := relay.New(relay.Config{})
	addr := serve(t, func(ctx context.Context, c session.Conn) { _ = r.Serve(ctx, c) })
	for _, tt := range []struct {
		name, args, url string
		code            int
		out, errs       string
	}{
		{"a probe", "-transport quic -probe", "moqt://" + addr, cli.ExitDone, "raw QUIC\n", ""},
		{"a doctor over raw QUIC", "-doctor", "moqt://" + addr, cli.ExitDone, "ok   session", ""},
		{"a doctor over WebTransport", "-doctor", "https://" + addr, cli.ExitDone, "ok   webtransport", ""},
		{"a server that is not there", "-doctor", "moqt://127.0.0.1:1", cli.ExitFailed, "FAIL udp           nothing listens on UDP port 1 of 127.0.0.1.\n",
			`moqinterop: there is no session with moqt://127.0.0.1:1: it fails at "udp".`},
		{"a probe of nothing", "-timeout 50 -transport quic -probe", "moqt://127.0.0.1:1", cli.ExitFailed, "no: ", "takes no session; -doctor says why"},
		{"both", "-doctor moqt://h -probe", "moqt://h", cli.ExitUsage, "", "exclude each other"},
		{"JSON of nothing", "-json -relay", "moqt://h", cli.ExitUsage, "", "-json needs -probe or -doctor"},
		{"a case", "-t setup-only -probe", "moqt://h", cli.ExitUsage, "", "no use for -test"},
		{"a trace", "-mlog_path x -probe", "moqt://h", cli.ExitUsage, "", "no traces"},
		{"another URL", "moqt://i -probe", "moqt://h", cli.ExitUsage, "", `"moqt://i" was not expected`},
		{"no URL", "-probe", "h:1", cli.ExitUsage, "", "h:1"},
		{"a draft", "-versions 7 -probe", "moqt://h", cli.ExitUsage, "", "draft 7 is not spoken here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := "-insecure " + tt.args + " " + tt.url
			if !strings.Contains(args, "-timeout") {
				args = "-timeout 30s " + args
			}
			code, out, errs := execute(t, args)
			if code != tt.code || !strings.Contains(out, tt.out) || (out == "") != (tt.out == "") || !strings.Contains(errs, tt.errs) {
				t.Errorf("code %d, stdout %q, stderr %q; want code %d, %q and %q", code, out, errs, tt.code, tt.out, tt.errs)
			}
		})
	}
}

func TestLookInJSON(t *testing.T) {
	addr := serve(t, func(ctx context.Context, c session.Conn) {
		draft, _ := session.DraftOf(c.Protocol())
		if s, err := session.Start(ctx, c, session.Config{Role: session.Server, Draft: draft, Implementation: "a<b"}); err == nil {
			s.Wait()
		}
	})
	code, out, errs := execute(t, "-json -insecure -timeout 30s -transport quic -versions 18 -probe moqt://"+addr)
	var report struct {
		Carriers []struct {
			Transport string
			Offers    []struct {
				Draft          int
				Implementation string
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != cli.ExitDone || len(report.Carriers) != 1 ||
		report.Carriers[0].Transport != "quic" || len(report.Carriers[0].Offers) != 1 ||
		report.Carriers[0].Offers[0].Draft != 18 || report.Carriers[0].Offers[0].Implementation != "a<b" {
		t.Errorf("code %d, %v, stdout %q, stderr %q", code, err, out, errs)
	}
	code, out, errs = execute(t, "-json -insecure -timeout 30s -doctor moqt://"+addr)
	var last struct {
		Stage string
		OK    bool
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || code != cli.ExitDone || last.Stage != "session" || !last.OK {
		t.Errorf("code %d, %v, stdout %q, stderr %q", code, err, out, errs)
	}
}
