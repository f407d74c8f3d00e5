// Package nal reads and writes rows of NAL units, which H.264 and HEVC have in
// common: each behind its length, as in files and in most packagings, or behind a
// start code (Annex B), as encoders write them.
//
// It does not know what is in a NAL unit. It has no goroutines and no locks; what it
// returns aliases its input.
//
//	units, err := nal.SplitAnnexB(b)
//	sample := nal.AppendLengths(nil, units...)
package nal
