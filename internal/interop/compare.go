package interop

import (
	"fmt"

	"oxymoq/pkg/model"
)

// compare returns a *Failure about the first difference between what was sent
// and what has come, nil if there is none. Objects of different streams may come
// in any order.
func (c *collector) compare(want []object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fails := func(expected, received string) error {
		return &Failure{Expected: expected, Received: received,
			Message: fmt.Sprintf("%d of %s came on %s", len(c.objects), plural(uint64(len(want)), "object"), plural(c.streams, "stream"))}
	}
	if c.wrong != "" {
		return fails("streams of subgroups that end with FIN, and nothing else", c.wrong)
	}
	came := make(map[model.Location]object)
	for _, o := range c.objects {
		if _, twice := came[o.at]; twice {
			return fails(fmt.Sprintf("object %v once", o.at), "it twice")
		}
		came[o.at] = o
	}
	for _, w := range want {
		o, ok := came[w.at]
		if !ok {
			return fails("object "+w.at.String(), "not that")
		}
		delete(came, w.at)
		for _, part := range []struct {
			name       string
			want, came any
		}{
			{"the Subgroup ID", w.subgroup, o.subgroup},
			{"the Publisher Priority", w.priority, o.priority},
			{"a payload length of", len(w.payload), len(o.payload)},
			{"the payload", w.payload, o.payload},
			{"the properties", fmt.Sprint(w.properties), fmt.Sprint(o.properties)},
		} {
			if part.want != part.came {
				return fails(fmt.Sprintf("object %v with %s %v", w.at, part.name, part.want), fmt.Sprintf("it with %s %v", part.name, part.came))
			}
		}
	}
	for _, o := range c.objects {
		if _, extra := came[o.at]; extra {
			return fails("nothing more than what was published", "object "+o.at.String())
		}
	}
	return nil
}
