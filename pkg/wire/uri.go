package wire

import "strings"

// Characters of RFC 3986 beyond letters and digits.
const (
	uriUnreserved = "-._~"
	uriSubDelims  = "!$&'()*+,;="
)

// validPath reports whether s is path-abempty, optionally with "?" and a query
// (RFC 3986, sections 3.3 and 3.4).
func validPath(s string) bool {
	path, query, _ := strings.Cut(s, "?")
	if path != "" && path[0] != '/' {
		return false
	}
	return uriChars(path, ":@/") && uriChars(query, ":@/?")
}

// validAuthority reports whether s can be the authority of a URI (RFC 3986,
// section 3.2). Brackets stand around an IPv6 address.
func validAuthority(s string) bool {
	userinfo, hostport, found := strings.Cut(s, "@")
	if !found {
		userinfo, hostport = "", s
	}
	return uriChars(userinfo, ":") && uriChars(hostport, ":[]")
}

// uriChars reports whether s has only unreserved characters, sub-delimiters,
// escapes and those of extra.
func uriChars(s, extra string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isAlphanumeric(c), strings.IndexByte(uriUnreserved, c) >= 0,
			strings.IndexByte(uriSubDelims, c) >= 0, strings.IndexByte(extra, c) >= 0:
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
