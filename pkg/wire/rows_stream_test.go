package wire

import "oxymoq/pkg/model"

// payload is an object's header and what follows it.
type payload[H any] struct {
	header H
	bytes  string
}

// subgroupRow is a subgroup stream and its exact bytes.
type subgroupRow struct {
	name    string
	header  SubgroupHeader
	objects []payload[ObjectHeader]
	wire    string
}

var subgroupRows = []subgroupRow{
	{"one object", SubgroupHeader{TrackAlias: 1, Priority: model.Some[uint8](128), FirstObject: true},
		[]payload[ObjectHeader]{{ObjectHeader{PayloadLen: 4}, "\xde\xad\xbe\xef"}}, `
		50  Type
		01  Track Alias
		00  Group ID
		80  Publisher Priority
		00  Object ID Delta
		04  Object Payload Length
		deadbeef  Object Payload`},
	{"an object and the end of the group", SubgroupHeader{TrackAlias: 1, Priority: model.Some[uint8](128), FirstObject: true},
		[]payload[ObjectHeader]{{ObjectHeader{PayloadLen: 1}, "x"}, {ObjectHeader{ID: 1, Status: model.StatusEndOfGroup}, ""}}, `
		50  Type
		01  Track Alias
		00  Group ID
		80  Publisher Priority
		00  Object ID Delta
		01  Object Payload Length
		78  Object Payload
		00  Object ID Delta
		00  Object Payload Length
		03  Object Status`},
	{"header only, default priority", SubgroupHeader{Group: 3}, nil, `
		30  Type
		00  Track Alias
		03  Group ID`},
	{"subgroup ID of the first object", SubgroupHeader{TrackAlias: 128, Group: 1 << 14, Mode: SubgroupFirstObject, Priority: model.Some[uint8](0)},
		[]payload[ObjectHeader]{{ObjectHeader{ID: 300, PayloadLen: 1}, "a"}, {ObjectHeader{ID: 429, PayloadLen: 1}, "b"}}, `
		12  Type
		8080  Track Alias
		c04000  Group ID
		00  Publisher Priority
		812c  Object ID Delta
		01  Object Payload Length
		61  Object Payload
		8080  Object ID Delta
		01  Object Payload Length
		62  Object Payload`},
	{"every bit, properties and an empty object", SubgroupHeader{TrackAlias: 1<<64 - 1, Group: 1, Mode: SubgroupExplicit, Subgroup: 200, Properties: true, EndOfGroup: true, FirstObject: true},
		[]payload[ObjectHeader]{
			{ObjectHeader{ID: 7, Properties: []byte{0x3c, 0x01, 0x02, 0x07}, PayloadLen: 2}, "pq"},
			{ObjectHeader{ID: 8}, ""},
			{ObjectHeader{ID: 1<<64 - 1, Status: model.StatusEndOfTrack}, ""}}, `
		7d  Type
		ffffffffffffffffff  Track Alias
		01  Group ID
		80c8  Subgroup ID
		07  Object ID Delta
		04  Properties Length
		3c 01  PRIOR_GROUP_ID_GAP
		02 07  PRIOR_OBJECT_ID_GAP
		02  Object Payload Length
		7071  Object Payload
		00  Object ID Delta
		00  Properties Length
		00  Object Payload Length
		00  Object Status
		fffffffffffffffff6  Object ID Delta
		00  Properties Length
		00  Object Payload Length
		04  Object Status`},
	{"immutable properties", SubgroupHeader{TrackAlias: 1, Properties: true},
		[]payload[ObjectHeader]{{ObjectHeader{Properties: []byte{0x0b, 0x03, 0x40, 0x80, 0x05}, PayloadLen: 1}, "x"}}, `
		31  Type
		01  Track Alias
		00  Group ID
		00  Object ID Delta
		05  Properties Length
		0b 03  IMMUTABLE_PROPERTIES
		40 8005  a property inside, in a longer form than necessary
		01  Object Payload Length
		78  Object Payload`},
}

// datagramRow is a datagram and its exact bytes.
type datagramRow struct {
	name     string
	datagram Datagram
	wire     string
}

var datagramRows = []datagramRow{
	{"object", Datagram{TrackAlias: 1, Group: 2, Object: 5, Priority: model.Some[uint8](128), Payload: []byte{0xde, 0xad}}, `
		00  Type
		01  Track Alias
		02  Group ID
		05  Object ID
		80  Publisher Priority
		dead  Object Payload`},
	{"object 0 with default priority", Datagram{TrackAlias: 300, Group: 1 << 62, Payload: []byte("x")}, `
		0c  Type
		812c  Track Alias
		ff4000000000000000  Group ID
		78  Object Payload`},
	{"last object of its group with properties", Datagram{TrackAlias: 1, Group: 2, Object: 1<<64 - 1, EndOfGroup: true, Properties: []byte{0x40, 0x01}, Payload: []byte("x")}, `
		0b  Type
		01  Track Alias
		02  Group ID
		ffffffffffffffffff  Object ID
		02  Properties Length
		40 01  0x40
		78  Object Payload`},
	{"end of group", Datagram{TrackAlias: 1, Object: 5, Priority: model.Some[uint8](128), Status: model.StatusEndOfGroup}, `
		20  Type
		01  Track Alias
		00  Group ID
		05  Object ID
		80  Publisher Priority
		03  Object Status`},
	{"end of track at object 0", Datagram{TrackAlias: 1, Group: 9, Status: model.StatusEndOfTrack}, `
		2c  Type
		01  Track Alias
		09  Group ID
		04  Object Status`},
	{"empty object says its status", Datagram{TrackAlias: 1, Group: 9, Object: 1, Priority: model.Some[uint8](1), Properties: []byte{0x3e, 0x01}}, `
		21  Type
		01  Track Alias
		09  Group ID
		01  Object ID
		01  Publisher Priority
		02  Properties Length
		3e 01  PRIOR_OBJECT_ID_GAP
		00  Object Status`},
	{"empty last object of its group cannot say its status", Datagram{TrackAlias: 1, Group: 9, Object: 1, EndOfGroup: true, Payload: []byte{}}, `
		0a  Type
		01  Track Alias
		09  Group ID
		01  Object ID`},
}

// fetchRow is a fetch stream and its exact bytes.
type fetchRow struct {
	name      string
	requestID uint64
	order     model.GroupOrder
	items     []payload[FetchItem]
	wire      string
}

func object(group, id, subgroup uint64, priority uint8, n uint64) FetchItem {
	return FetchItem{Location: model.Location{Group: group, Object: id}, Subgroup: subgroup, Priority: priority, PayloadLen: n}
}

func endAt(kind FetchItemKind, group, id uint64) FetchItem {
	return FetchItem{Kind: kind, Location: model.Location{Group: group, Object: id}}
}

var fetchStreamRows = []fetchRow{
	{"empty range", 1 << 14, model.Ascending, nil, `
		05  Type
		c04000  Request ID`},
	{"two groups", 4, model.Ascending, []payload[FetchItem]{
		{object(0, 0, 0, 128, 4), "\xde\xad\xbe\xef"}, {object(0, 1, 0, 128, 2), "\xca\xfe"}, {object(1, 0, 0, 128, 1), "\xbb"}}, `
		05  Type
		04  Request ID
		1c  Serialization Flags
		00  Group ID
		00  Object ID
		80  Publisher Priority
		04  Object Payload Length
		deadbeef  Object Payload
		00  Serialization Flags
		02  Object Payload Length
		cafe  Object Payload
		0c  Serialization Flags
		00  Group ID Delta
		00  Object ID
		01  Object Payload Length
		bb  Object Payload`},
	{"every way to tell a subgroup", 4, model.GroupOrderUnset, []payload[FetchItem]{
		{object(3, 200, 9, 0, 0), ""}, {object(3, 201, 9, 0, 0), ""}, {object(3, 300, 10, 1, 0), ""}, {object(3, 301, 400, 1, 0), ""}, {object(3, 302, 0, 1, 0), ""}}, `
		05  Type
		04  Request ID
		1f  Serialization Flags
		03  Group ID
		09  Subgroup ID
		80c8  Object ID
		00  Publisher Priority
		00  Object Payload Length
		01  Serialization Flags: prior subgroup
		00  Object Payload Length
		16  Serialization Flags: prior subgroup + 1
		63  Object ID Delta
		01  Publisher Priority
		00  Object Payload Length
		03  Serialization Flags: subgroup field
		8190  Subgroup ID
		00  Object Payload Length
		00  Serialization Flags: subgroup 0
		00  Object Payload Length`},
	{"datagrams are not referred to", 4, model.Ascending, []payload[FetchItem]{
		{object(0, 0, 5, 7, 0), ""},
		{FetchItem{Location: model.Location{Object: 1}, Datagram: true, Priority: 7, PayloadLen: 1}, "d"},
		{object(0, 2, 5, 7, 0), ""}}, `
		05  Type
		04  Request ID
		1f  Serialization Flags
		00  Group ID
		05  Subgroup ID
		00  Object ID
		07  Publisher Priority
		00  Object Payload Length
		40  Serialization Flags: datagram
		01  Object Payload Length
		64  Object Payload
		03  Serialization Flags: subgroup field
		05  Subgroup ID
		00  Object Payload Length`},
	{"properties and ends of ranges", 4, model.Ascending, []payload[FetchItem]{
		{FetchItem{Location: model.Location{Group: 3, Object: 4}, Subgroup: 8, Priority: 77, Properties: []byte{0x3e, 0x02}, PayloadLen: 1}, "p"},
		{endAt(FetchEndNonExistent, 3, 9), ""}, {object(3, 10, 8, 77, 1), "q"}, {endAt(FetchEndUnknown, 5, 1<<64-1), ""}, {object(7, 128, 8, 77, 1), "r"}}, `
		05  Type
		04  Request ID
		3f  Serialization Flags
		03  Group ID
		08  Subgroup ID
		04  Object ID
		4d  Publisher Priority
		02  Properties Length
		3e 02  PRIOR_OBJECT_ID_GAP
		01  Object Payload Length
		70  Object Payload
		808c  End of Non-Existent Range
		03  Group ID
		09  Object ID
		01  Serialization Flags
		01  Object Payload Length
		71  Object Payload
		810c  End of Unknown Range
		05  Group ID
		ffffffffffffffffff  Object ID
		0d  Serialization Flags
		01  Group ID Delta
		8080  Object ID
		01  Object Payload Length
		72  Object Payload`},
	{"descending groups", 4, model.Descending, []payload[FetchItem]{
		{object(1<<64-1, 5, 0, 1, 1), "a"}, {object(1<<64-2, 0, 0, 1, 1), "b"}, {object(0, 0, 0, 1, 1), "c"}}, `
		05  Type
		04  Request ID
		1c  Serialization Flags
		ffffffffffffffffff  Group ID
		05  Object ID
		01  Publisher Priority
		01  Object Payload Length
		61  Object Payload
		0c  Serialization Flags
		00  Group ID Delta
		00  Object ID
		01  Object Payload Length
		62  Object Payload
		0c  Serialization Flags
		fffffffffffffffffd  Group ID Delta
		00  Object ID
		01  Object Payload Length
		63  Object Payload`},
	{"a stream of nothing but an end", 4, model.Ascending, []payload[FetchItem]{{endAt(FetchEndUnknown, 5, 10), ""}}, `
		05  Type
		04  Request ID
		810c  End of Unknown Range
		05  Group ID
		0a  Object ID`},
}
