package relay

import (
	"testing"

	"oxymoq/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
