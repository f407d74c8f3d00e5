package relay

// Tune takes up what of a configuration can change while the relay runs. CacheBytes
// and IdleTracks hold at once: what is kept beyond them of tracks that nobody uses
// goes, and tracks in use pay as they grow. CacheGroups and Rules hold for tracks that
// become known from now on, Slow for further subscriptions, and Grace for publishers
// that vanish later. All else stays as New was told.
func (r *Relay) Tune(c Config) {
	c = c.withDefaults()
	now := r.cfg
	now.CacheBytes, now.CacheGroups, now.IdleTracks = c.CacheBytes, c.CacheGroups, c.IdleTracks
	now.Grace, now.Rules, now.Slow = c.Grace, c.Rules, c.Slow
	r.tuned.Store(&now)
	r.budget.SetLimit(now.CacheBytes)
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.idle.Len() > now.IdleTracks || r.idle.Len() > 0 && r.budget.Over() {
		r.idle.Front().Value.(*relayTrack).dropLocked()
	}
}
