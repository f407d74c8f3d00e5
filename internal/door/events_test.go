package door

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oxymoq/internal/cli"
	"oxymoq/pkg/observe/mlog"
	"oxymoq/pkg/session"
)

func TestEvents(t *testing.T) {
	var cfg session.Config
	end, err := new(Events).Trace(&cfg, mlog.Client, "test")
	if err != nil || cfg.Trace != nil {
		t.Errorf("without the flag: %v, %v", err, cfg.Trace != nil)
	}
	end(&err)

	name := filepath.Join(t.TempDir(), "x.qlog")
	e := Events{path: name}
	if end, err = e.Trace(&cfg, mlog.Client, "test"); err != nil || cfg.Trace == nil {
		t.Fatalf("with the flag: %v, %v", err, cfg.Trace != nil)
	}
	end(&err)
	b, _ := os.ReadFile(name)
	if err != nil || !strings.Contains(string(b), `"title":"test"`) {
		t.Errorf("%v, %q", err, b)
	}

	e.path = filepath.Join(name, "below")
	if _, err := e.Trace(&cfg, mlog.Client, "test"); err == nil || !strings.Contains(err.Error(), "-mlog_path") {
		t.Errorf("a file below a file: %v", err)
	}
}

// TestEventsIncomplete: that the file is not complete is told where nothing worse
// is.
func TestEventsIncomplete(t *testing.T) {
	lost := errors.New("lost")
	for _, result := range []error{nil, &cli.SignalError{Signal: os.Interrupt}, lost} {
		e := Events{path: filepath.Join(t.TempDir(), "x.qlog")}
		var cfg session.Config
		end, err := e.Trace(&cfg, mlog.Client, "test")
		if err != nil {
			t.Fatal(err)
		}
		end(&err)
		err = result
		end(&err) // the file is closed already, which is an error
		if told := err != nil && strings.Contains(err.Error(), "is not complete"); told != (result != lost) {
			t.Errorf("after %v it says %v", result, err)
		}
	}
}
