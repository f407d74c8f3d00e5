package moqt

import (
	"errors"
	"testing"
	"time"

	"oxymoq/internal/testkit"
	"oxymoq/pkg/model"
	"oxymoq/pkg/session"
)

// TestUpdateHoldsOnTheNextSessionToo: who has paused a track does not get it from
// the next session either, and what was missed is fetched when it goes on.
func TestUpdateHoldsOnTheNextSessionToo(t *testing.T) {
	play(t, FromGroupsBack(0), func(t *testing.T, st *stage, o *origin) {
		pause, goOn := session.Change{Forward: model.Some(false)}, session.Change{Forward: model.Some(true), ObjectTimeout: model.Some(time.Second)}
		testkit.ErrIs(t, st.sub.Update(t.Context(), pause), ErrNotSubscribed)
		o.grow(span(7, 0, 3))
		l := st.connect(o)
		st.want("the past", "7/0-3")
		testkit.NoErr(t, st.sub.Update(t.Context(), pause))
		testkit.Equal(t, o.out.Terms().Forward, false)
		wantErr[error](t, "lost", l.lose())
		testkit.ErrIs(t, st.sub.Update(t.Context(), pause), ErrNotSubscribed)
		o.grow(span(7, 4, 5))
		l = st.connect(o)
		st.want("what was published meanwhile", "7/4-5")
		testkit.Equal(t, o.out.Terms().Forward, false)
		o.grow(span(7, 6, 8))
		testkit.NoErr(t, st.sub.Update(t.Context(), goOn))
		testkit.Equal(t, o.out.Terms().Forward, true)
		testkit.Equal(t, st.sub.Terms.ObjectTimeout, model.Opt[time.Duration]{}) // only what was said to be changed is
		o.grow(span(7, 9, 9))
		o.open(7, 0, false).put(9)
		st.pass(DefaultPatience)
		st.want("the pause is filled", "7/6-9")
		o.out.Session().Close(model.NoError, "")
		if err := <-l.done; err == nil || errors.Is(err, ErrNotSubscribed) {
			t.Error(err)
		}
	})
}
