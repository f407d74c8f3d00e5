package cli

import (
	"runtime"
	"runtime/debug"
)

// version is set by build.sh: -ldflags "-X oxymoq/internal/cli.version=…".
var version string

// Version returns the version of the toolkit with that of Go and the platform:
// "v0.1.0-3-g0a1b2c3 (go1.26.8, linux/amd64)".
func Version() string {
	return Release() + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}

// Release returns the version of the toolkit alone; "devel" if it was built
// without build.sh and outside a repository.
func Release() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return fromBuild(info)
}

func fromBuild(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && s.Value != "" {
			return "devel-" + s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}
