package taptest

import "testing"

// TestReaderIsStrict: or the tests that use it would show nothing.
func TestReaderIsStrict(t *testing.T) {
	const head = "TAP version 14\n"
	for _, text := range []string{
		"", "TAP version 13\n1..0\n", "1..0\n", head + "1..0", head + "1..1\n", head + "1..1\nok 2 - a\n", head + "ok 1 - a\n1..1\n",
		head + "1..1\nok 1 - a\nok 2 - b\n", head + "1..1\nok 1 - a\n  ---\n  x: 1\n", head + "1..1\nok 1 - a\n  ---\n x: 1\n  ...\n",
		head + "1..1\nok 1 - a\n  ---\n  x: text\n  ...\n", head + "1..1\nok 1 - a\n  ---\n      x: 1\n  ...\n",
		head + "1..1\nok 1 - a # b\n", head + "1..1\nnews\n", head + "Bail out! x\nok 1 - a\n",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q passes", text)
		}
	}
}
