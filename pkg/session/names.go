package session

import (
	"oxymoq/pkg/transport"
	"oxymoq/pkg/wire"
)

// The words of packages wire and transport that the rooms behind the porch use.
type (
	// Role is the side of a session.
	Role = wire.Role
	// SubgroupHeader begins a subgroup stream.
	SubgroupHeader = wire.SubgroupHeader
	// ObjectHeader precedes an object's payload on a subgroup stream.
	ObjectHeader = wire.ObjectHeader
	// ObjectForm is the way in which a session writes object headers.
	ObjectForm = wire.ObjectForm
	// Datagram is an object that travels in a datagram.
	Datagram = wire.Datagram
	// FetchItem is an object or an end of range on a fetch stream.
	FetchItem = wire.FetchItem
	// Conn is what a session is made of.
	Conn = transport.Conn
	// PathStats describes the path of a connection.
	PathStats = transport.Stats
	// SendStream is a stream to write a subgroup or a fetch to.
	SendStream = transport.SendStream
)

// The sides of a session.
const (
	Client = wire.Client
	Server = wire.Server
)

// Kinds of a FetchItem.
const (
	FetchObject         = wire.FetchObject
	FetchEndNonExistent = wire.FetchEndNonExistent // of a range without objects
)
