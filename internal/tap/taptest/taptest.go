package taptest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Document is a document of TAP version 14, as far as package tap writes one.
type Document struct {
	Comments []string
	Plan     int
	Points   []Point
	BailOut  string
}

// Point is one result.
type Point struct {
	OK      bool
	Name    string
	Skipped string
	Fields  map[string]string // those of blocks within with their path, as in sessions.client.alpn
}

var (
	planLine    = regexp.MustCompile(`^1\.\.(\d+)$`)
	pointLine   = regexp.MustCompile(`^(ok|not ok) (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # SKIP (.*))?$`)
	commentLine = regexp.MustCompile(`^# (.*)$`)
	fieldLine   = regexp.MustCompile(`^((?:  )+)([a-z_]+):(?: (.+))?$`)
)

// Parse reads a document, and fails where a strict reader would.
func Parse(text string) (d Document, err error) {
	text, whole := strings.CutSuffix(text, "\n")
	if !whole {
		return d, errors.New("the last line has no end")
	}
	lines := strings.Split(text, "\n")
	if lines[0] != "TAP version 14" {
		return d, fmt.Errorf("it begins with %q", lines[0])
	}
	planned := false
	for i := 1; i < len(lines); i++ {
		line := lines[i]
		switch {
		case d.BailOut != "":
			return d, fmt.Errorf("%q stands behind the end", line)
		case strings.HasPrefix(line, "Bail out!"):
			d.BailOut = strings.TrimPrefix(line, "Bail out! ")
		case commentLine.MatchString(line):
			d.Comments = append(d.Comments, commentLine.FindStringSubmatch(line)[1])
		case planLine.MatchString(line) && !planned:
			planned = true
			d.Plan, _ = strconv.Atoi(planLine.FindStringSubmatch(line)[1])
		case pointLine.MatchString(line) && planned:
			m := pointLine.FindStringSubmatch(line)
			p := Point{OK: m[1] == "ok", Name: strings.NewReplacer(`\\`, `\`, `\#`, `#`).Replace(m[3]), Skipped: m[4], Fields: map[string]string{}}
			if n, _ := strconv.Atoi(m[2]); n != len(d.Points)+1 || n > d.Plan {
				return d, fmt.Errorf("%q is point %d of %d", line, len(d.Points)+1, d.Plan)
			}
			if i+1 < len(lines) && lines[i+1] == "  ---" {
				end := i + 2
				for end < len(lines) && lines[end] != "  ..." {
					end++
				}
				if end == len(lines) {
					return d, errors.New("a block has no end")
				}
				if err := p.parseBlock(lines[i+2 : end]); err != nil {
					return d, err
				}
				i = end
			}
			d.Points = append(d.Points, p)
		default:
			return d, fmt.Errorf("%q is no line of TAP here", line)
		}
	}
	if d.BailOut == "" && len(d.Points) != d.Plan {
		return d, fmt.Errorf("%d points of %d", len(d.Points), d.Plan)
	}
	return d, nil
}

// parseBlock reads a block of YAML.
func (p *Point) parseBlock(lines []string) error {
	var path []string
	for _, line := range lines {
		m := fieldLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%q is no line of a block", line)
		}
		depth := len(m[1])/2 - 1
		if depth > len(path) {
			return fmt.Errorf("%q is too deep", line)
		}
		path = append(path[:depth], m[2])
		key, value := strings.Join(path, "."), m[3]
		switch {
		case value == "":
			continue
		case value[0] == '"':
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		default:
			if _, err := strconv.ParseInt(value, 10, 64); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		}
		if _, twice := p.Fields[key]; twice {
			return fmt.Errorf("%s stands there twice", key)
		}
		p.Fields[key] = value
		path = path[:depth]
	}
	return nil
}
