package wire

import "oxymoq/pkg/model"

// olderFetchRow is a fetch stream of a draft up to 16.
type olderFetchRow struct {
	fetchRow
	draft model.Draft
}

var olderFetchRows = []olderFetchRow{
	{draft: model.Draft16, fetchRow: fetchRow{"whole IDs", 64, model.Ascending, []payload[FetchItem]{
		{object(3, 200, 9, 0, 0), ""}, {object(3, 201, 9, 0, 0), ""}, {object(3, 300, 10, 1, 0), ""}, {object(7, 2, 0, 1, 1), "x"}}, `
		05  Type
		4040  Request ID
		1f  Serialization Flags
		03  Group ID
		09  Subgroup ID
		40c8  Object ID
		00  Publisher Priority
		00  Object Payload Length
		01  Serialization Flags: prior subgroup
		00  Object Payload Length
		16  Serialization Flags: prior subgroup + 1
		412c  Object ID
		01  Publisher Priority
		00  Object Payload Length
		0c  Serialization Flags
		07  Group ID
		02  Object ID
		01  Object Payload Length
		78  Object Payload`}},
	{draft: model.Draft16, fetchRow: fetchRow{"properties, a datagram and ends of ranges", 4, model.Ascending, []payload[FetchItem]{
		{FetchItem{Location: model.Location{Group: 3, Object: 4}, Subgroup: 8, Priority: 77, Properties: []byte{0x3e, 0x02}, PayloadLen: 1}, "p"},
		{endAt(FetchEndNonExistent, 3, 9), ""}, {FetchItem{Location: model.Location{Group: 3, Object: 10}, Datagram: true, Priority: 77}, ""},
		{endAt(FetchEndUnknown, 5, 1<<62-1), ""}, {object(7, 0, 8, 77, 1), "r"}}, `
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
		408c  End of Non-Existent Range
		03  Group ID
		09  Object ID
		4040  Serialization Flags: datagram
		00  Object Payload Length
		410c  End of Unknown Range
		05  Group ID
		ffffffffffffffff  Object ID
		0f  Serialization Flags
		07  Group ID
		08  Subgroup ID
		00  Object ID
		01  Object Payload Length
		72  Object Payload`}},
	{draft: model.Draft16, fetchRow: fetchRow{"descending groups", 4, model.Descending, []payload[FetchItem]{
		{object(9, 5, 0, 1, 0), ""}, {object(8, 6, 0, 1, 0), ""}}, `
		05  Type
		04  Request ID
		1c  Serialization Flags
		09  Group ID
		05  Object ID
		01  Publisher Priority
		00  Object Payload Length
		0c  Serialization Flags
		08  Group ID
		06  Object ID
		00  Object Payload Length`}},
	{draft: model.Draft14, fetchRow: fetchRow{"everything in every object", 4, model.Ascending, []payload[FetchItem]{
		{FetchItem{Location: model.Location{Group: 3, Object: 4}, Subgroup: 64, Priority: 77, Properties: []byte{0x3e, 0x02, 0x04, 0x01}, PayloadLen: 1}, "p"},
		{object(3, 5, 64, 77, 0), ""}}, `
		05  Type
		04  Request ID
		03  Group ID
		4040  Subgroup ID
		04  Object ID
		4d  Publisher Priority
		04  Extension Headers Length
		3e 02  PRIOR_OBJECT_ID_GAP
		04 01  0x04, whole and out of order
		01  Object Payload Length
		70  Object Payload
		03  Group ID
		4040  Subgroup ID
		05  Object ID
		4d  Publisher Priority
		00  Extension Headers Length
		00  Object Payload Length
		00  Object Status`}},
	{draft: model.Draft14, fetchRow: fetchRow{"statuses", 4, model.Descending, []payload[FetchItem]{
		{FetchItem{Kind: FetchEndNonExistent, Location: model.Location{Group: 3, Object: 4}, Subgroup: 1, Priority: 7, Status: model.StatusDoesNotExist}, ""},
		{FetchItem{Kind: FetchEndNonExistent, Location: model.Location{Group: 3, Object: 5}, Properties: []byte{0x02, 0x01}, Status: model.StatusEndOfGroup}, ""},
		{FetchItem{Kind: FetchEndNonExistent, Location: model.Location{Group: 2, Object: 0}, Status: model.StatusEndOfTrack}, ""}}, `
		05  Type
		04  Request ID
		03  Group ID
		01  Subgroup ID
		04  Object ID
		07  Publisher Priority
		00  Extension Headers Length
		00  Object Payload Length
		01  Object Status
		03  Group ID
		00  Subgroup ID
		05  Object ID
		00  Publisher Priority
		02  Extension Headers Length
		02 01  0x02
		00  Object Payload Length
		03  Object Status
		02  Group ID
		00  Subgroup ID
		00  Object ID
		00  Publisher Priority
		00  Extension Headers Length
		00  Object Payload Length
		04  Object Status`}},
}
