package door

import "os"

// Suggest says where to serve and with which certificate if the flags do not, for
// surroundings in which that is agreed upon. The files need not exist: then the
// certificate is what it would be without them. It is called before Listen.
func (d *Port) Suggest(port int, cert, key string) {
	if !d.flags.IsSet("port") {
		d.port = port
	}
	if _, err := os.Stat(cert); err == nil && d.cert == "" && d.key == "" && !d.insecure {
		d.cert, d.key = cert, key
	}
}

// Suggest says where traces go if the flags do not, unless that is no directory
// or nothing can be written into it. It is called before Trace.
func (e *Events) Suggest(dir string) {
	if info, err := os.Stat(dir); e.dir != "" || err != nil || !info.IsDir() {
		return
	}
	try, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return
	}
	_ = try.Close() // it is empty
	if os.Remove(try.Name()) == nil {
		e.dir = dir
	}
}
