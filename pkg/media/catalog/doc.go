// Package catalog reads and writes the lists of tracks that publishers give:
// those of MSF (draft-ietf-moq-msf, the line of draft 01) and of hang (npm's
// @moq/publish and @moq/watch). Both become one Catalog.
//
//	track           format
//	catalog         MSF: JSON, complete in object 0 of a group, then delta updates;
//	                gzip where the property MSF_COMPRESSION (0x78) is 1
//	catalog.json    hang: JSON, complete in object 0, then merge patches (RFC 7396)
//	catalog.json.z  the same as one raw DEFLATE stream a group, flushed after each
//	                object without the flush's last four bytes
//
// A Reader takes the objects of one of them. MSF is read in the versions
// "draft-00", "draft-01" and 1, the number that WARP and draft 00 wrote, with
// initData in the track; others are refused, as the draft wants it. Fields that
// are not known are ignored, and so is a decoder's configuration that cannot be
// read: the media brings it again. A track without isLive is live unless all is
// complete.
//
// The packaging of a track is "moqmi", "loc" or "hang" where package packaging
// knows it. MSF has no word for MoQMi; it is written "moqmi", a name of its own
// that others pass over. For hang's container MSF catalogs say "legacy". Other
// words stay as they are; hang's other containers become "hang/cmaf" and
// "hang/loc".
//
// Sizes, also of what is decompressed, tracks and initialization data are
// limited by constants. The package has no goroutines and no locks; a Reader
// belongs to one track.
//
//	b, err := catalog.AppendMSF(nil, &catalog.Catalog{Tracks: []catalog.Track{{Name: "video0", Packaging: "loc", Format: format}}})
//	reader, err := catalog.NewReader("catalog")
//	c, err := reader.Object(0, nil, b)
package catalog
