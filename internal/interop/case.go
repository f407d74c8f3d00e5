package interop

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Case is one case of the runner.
type Case struct {
	Name string
	// Revision is that of the specification of the case, 0 if it has none.
	Revision int
	// Limit is how long the case may take from its first session on.
	Limit time.Duration

	// play returns nil if the relay passes, *errSkip if the draft has not what
	// the case is about, and else a *Failure.
	play func(*scene) error
}

// Limits of the cases, as their specifications have them.
const (
	limitSession         = 2 * time.Second
	limitRequest         = 2 * time.Second
	limitSubscribe       = 3 * time.Second
	limitSubscribeBefore = 3500 * time.Millisecond
	limitNamespace       = 5 * time.Second
	limitObjects         = 10 * time.Second
	limitSubgroups       = 15 * time.Second // 5 s for the requests, 10 s for the objects
)

// Cases returns all cases, in the order in which they are performed: first those
// that all clients of the runner have, then those that its contributors have
// specified since.
func Cases() []Case {
	all := []Case{
		{Name: "setup-only", Limit: limitSession, play: setupOnly},
		{Name: "announce-only", Limit: limitRequest, play: announceOnly},
		{Name: "publish-namespace-done", Limit: limitRequest, play: publishNamespaceDone},
		{Name: "subscribe-error", Limit: limitRequest, play: subscribeError},
		{Name: "rendezvous-timeout", Limit: limitRequest, play: rendezvousTimeout},
		{Name: "announce-subscribe", Limit: limitSubscribe, play: announceSubscribe},
		{Name: "subscribe-before-announce", Limit: limitSubscribeBefore, play: subscribeBeforeAnnounce},
		{Name: "publish-track-only", Limit: limitObjects, play: publishTrackOnly},
		{Name: "publish-track-subscribe", Limit: limitObjects, play: publishTrackSubscribe},
		{Name: "publish-without-subscriber", Limit: limitObjects, play: publishWithoutSubscriber},
		{Name: "publish-to-pending-subscription", Limit: limitObjects, play: publishToPendingSubscription},
		{Name: "subscribe-namespace-lifecycle", Revision: 1, Limit: limitNamespace, play: subscribeNamespaceLifecycle},
		{Name: "data-subgroup-basic", Revision: 1, Limit: limitSubgroups, play: dataSubgroupBasic},
	}
	for _, v := range vectors() {
		all = append(all, Case{Name: v.name, Revision: 1, Limit: limitObjects, play: v.play})
	}
	return all
}

// UnknownError says that there is no case of a name.
type UnknownError struct{ Name string }

// Error names the case, and what there is.
func (e *UnknownError) Error() string {
	var names []string
	for _, c := range Cases() {
		names = append(names, c.Name)
	}
	return fmt.Sprintf("there is no case %q; there are %s", e.Name, strings.Join(names, ", "))
}

// Select returns the cases of some names, in their order and each once; all
// cases if there are no names. It fails with an *UnknownError.
func Select(names []string) ([]Case, error) {
	all := Cases()
	if len(names) == 0 {
		return all, nil
	}
	var some []Case
	for _, name := range names {
		i := slices.IndexFunc(all, func(c Case) bool { return c.Name == name })
		if i < 0 {
			return nil, &UnknownError{name}
		}
		if !slices.ContainsFunc(some, func(c Case) bool { return c.Name == name }) {
			some = append(some, all[i])
		}
	}
	return some, nil
}
