// Package config has configuration files in YAML: it reads and writes them, and
// tells a running program when they have changed.
//
// A file has sections, in each of them keys, and for each key a value or a list:
//
//	network:
//	  port: 4433
//	cache:
//	  memory: 512
//
// Which keys there are, what they are for and what they are by default the flags
// of the program say (cli.FlagSet.Keys), so that there is one table of all three.
// What is not such a file is refused with file, line and, for a key that does not
// exist, the one that was probably meant: aliases, anchors, tags, several
// documents, keys that come twice, and files of more than MaxFile bytes.
//
// The package decides nothing about values, which the flags check, and knows
// nothing of MoQT.
//
// Live.Run is the one goroutine, which the caller starts; it has no locks. What it
// applies it applies one after the other.
//
//	p.Configure(config.YAML{}, check)
//	...
//	live := config.NewLive(env, fresh)
//	go live.Run(ctx, hangups)
package config
