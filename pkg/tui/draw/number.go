package draw

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Unknown stands for a value that is not known, which is not the same as 0.
const Unknown = "–"

// SI returns a number in at most five cells, with one decimal below a hundred and
// the letter of its power of a thousand: 0, 41, 999, 1.2k, 47.4M, 212M.
func SI(v float64) string {
	switch {
	case math.IsNaN(v), math.IsInf(v, 0):
		return Unknown
	case v < 0:
		return "-" + SI(-v)
	case v < 999.5:
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	for _, unit := range "kMGTPE" {
		v /= 1000
		switch {
		case v < 99.95:
			return strconv.FormatFloat(v, 'f', 1, 64) + string(unit)
		case v < 999.5:
			return strconv.FormatFloat(v, 'f', 0, 64) + string(unit)
		}
	}
	return ">1000E"
}

// Bytes returns a size in binary units: 512B, 3.1KiB, 412MiB.
func Bytes(n int64) string {
	if n < 0 {
		return "-" + Bytes(-n)
	}
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	v := float64(n)
	for _, unit := range "KMGTPE" {
		v /= 1024
		switch {
		case v < 99.95:
			return fmt.Sprintf("%.1f%ciB", v, unit)
		case v < 1023.5:
			return fmt.Sprintf("%.0f%ciB", v, unit)
		}
	}
	return Unknown
}

// Lag returns a short time in at most five cells: 0ms, 41ms, 912ms, 1.2s, 14s,
// 3m, 2h.
func Lag(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Lag(-d)
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second-time.Millisecond/2:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond).Milliseconds())
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	return Age(d)
}

// Age returns a long time in at most four cells: 41s, 3m, 12h, 19d.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return Unknown
	case d < 100*time.Second:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Clock returns a long time as hours, minutes and seconds: 01:12:09.
func Clock(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Percent returns a share of 0 to 1 in at most four cells: 0%, 0.3%, 98%.
func Percent(share float64) string {
	p := share * 100
	if p > 0 && p < 9.95 {
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}
