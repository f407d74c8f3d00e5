package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"oxymoq/pkg/observe"
)

// Problem is the answer to what could not be done.
type Problem struct {
	Code    string `json:"code"`    // one word for programs
	Message string `json:"message"` // a sentence for people
}

// Codes of a Problem by which a client knows an error of package observe.
const (
	CodeNoTrack   = "no_track"
	CodeNoSession = "no_session"
	CodeRemain    = "remain"
)

// MaxBody is how many bytes the body of a request may have.
const MaxBody = 16 << 10

// refuse answers with a Problem.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{Code: code, Message: message}) // the client may have gone
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "internal", "The answer cannot be written as JSON: "+err.Error()+".")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the client may have gone
}

// fail answers with what an error of a Source or a Control means.
func fail(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, observe.ErrNoTrack):
		refuse(w, http.StatusNotFound, CodeNoTrack, "There is no such track.")
	case errors.Is(err, observe.ErrNoSession):
		refuse(w, http.StatusNotFound, CodeNoSession, "There is no such session.")
	case errors.Is(err, observe.ErrRemain):
		refuse(w, http.StatusConflict, CodeRemain, "Not all sessions have left in time. The relay takes no new ones.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		refuse(w, http.StatusServiceUnavailable, "timeout", "The relay did not answer in time.")
	default:
		refuse(w, http.StatusServiceUnavailable, "unavailable", "The relay cannot tell: "+err.Error()+".")
	}
}

// readBody reads JSON into v, or answers and returns false. No body leaves v as it
// is; fields that are not known are refused, as they are misspelt ones.
func readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	body, err := io.ReadAll(r.Body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		refuse(w, http.StatusRequestEntityTooLarge, "body", "The body is too large.")
		return false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "body", "The body did not arrive.")
		return false
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err = d.Decode(v); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "body", "The body is not the JSON that is expected: "+err.Error()+".")
		return false
	}
	return true
}

// withProblems answers with a Problem where mux has no route.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r) // it sets the values of the path
			return
		}
		status := statusOnly{header: w.Header(), status: http.StatusOK}
		h.ServeHTTP(&status, r)
		if status.status == http.StatusMethodNotAllowed {
			refuse(w, status.status, "method", "This path does not take "+r.Method+".")
			return
		}
		refuse(w, http.StatusNotFound, "path", "There is nothing at this path; /openapi.json has the list.")
	})
}

// statusOnly keeps the header of an answer and what it is, not what it says.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }
