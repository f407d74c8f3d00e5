package wire

import "oxymoq/pkg/model"

var setupRows = []row{
	{"SETUP without options", setupIn, &Setup{}, `
		af00  Type
		0000  Length`},
	{"SETUP with PATH", setupIn, &Setup{Path: model.Some("/moq")}, `
		af00  Type
		0006  Length
		01  PATH
		04 2f6d6f71  "/moq"`},
	{"SETUP with an empty PATH", setupIn, &Setup{Path: model.Some("")}, `
		af00  Type
		0002  Length
		01  PATH
		00  ""`},
	{"SETUP with MAX_AUTH_TOKEN_CACHE_SIZE", setupIn, &Setup{MaxTokenCacheSize: model.Some[uint64](1024)}, `
		af00  Type
		0003  Length
		04  MAX_AUTH_TOKEN_CACHE_SIZE
		8400  1024`},
	{"SETUP with everything that a client may say", setupIn, &Setup{
		Path:              model.Some("/m?t=%41"),
		Authority:         model.Some("[::1]:4433"),
		MaxTokenCacheSize: model.Some[uint64](1 << 62),
		Implementation:    model.Some("oxymoq/1"),
		Tokens:            []Token{{Action: TokenRegister, Alias: 7, Type: 0, Value: []byte("ab")}, {Action: TokenUseValue, Type: 128}},
		Unknown: model.Properties{
			{Type: 0, Int: 5}, {Type: 2, Int: 100}, {Type: 6, Int: 1},
			{Type: 0x9d, Bytes: []byte{1, 2}}, {Type: 0x9d}, {Type: 1<<64 - 1},
		}}, `
		af00  Type
		004d  Length
		00  unknown 0x00
		05  value
		01  PATH
		08 2f6d3f743d253431  "/m?t=%41"
		01  unknown 0x02
		64  value
		01  AUTHORIZATION_TOKEN
		05  Length
		01  Alias Type REGISTER
		07  Token Alias
		00  Token Type
		6162  Token Value
		00  AUTHORIZATION_TOKEN
		03  Length
		03  Alias Type USE_VALUE
		8080  Token Type
		01  MAX_AUTH_TOKEN_CACHE_SIZE
		ff4000000000000000  2^62
		01  AUTHORITY
		0a 5b3a3a315d3a34343333  "[::1]:4433"
		01  unknown 0x06
		01  value
		01  MOQT_IMPLEMENTATION
		08 6f78796d6f712f31  "oxymoq/1"
		8096  unknown 0x9D
		02 0102  value
		00  unknown 0x9D
		00  value
		ffffffffffffffff62  unknown 2^64-1
		00  value`},
	{"SETUP of a server with all token actions", setupOut, &Setup{Tokens: []Token{
		{Action: TokenDelete, Alias: 5}, {Action: TokenRegister, Alias: 1, Type: 2, Value: []byte{0xff}},
		{Action: TokenUseAlias, Alias: 1 << 14}, {Action: TokenUseValue, Type: 1, Value: []byte("v")}}}, `
		af00  Type
		0015  Length
		03  AUTHORIZATION_TOKEN
		02 00 05  DELETE 5
		00  AUTHORIZATION_TOKEN
		04 01 01 02 ff  REGISTER 1
		00  AUTHORIZATION_TOKEN
		04 02 c04000  USE_ALIAS 16384
		00  AUTHORIZATION_TOKEN
		03 03 01 76  USE_VALUE`},
	{"SETUP over WebTransport", Context{Draft: model.Draft18, Receiver: Server, WebTransport: true}, &Setup{Implementation: model.Some("")}, `
		af00  Type
		0002  Length
		07  MOQT_IMPLEMENTATION
		00  ""`},
}

var goawayRows = []row{
	{"GOAWAY of a client on the control stream", setupIn, &Goaway{Timeout: 3000, RequestID: model.Some[uint64](7)}, `
		10  Type
		0004  Length
		00  New Session URI Length
		8bb8  Timeout
		07  Request ID`},
	{"GOAWAY of a server with a URI", setupOut, &Goaway{NewSessionURI: "moqt://b/", Timeout: 0, RequestID: model.Some[uint64](1<<64 - 2)}, `
		10  Type
		0014  Length
		09 6d6f71743a2f2f622f  New Session URI
		00  Timeout
		fffffffffffffffffe  Request ID`},
	{"GOAWAY on a request stream has no Request ID", toClient, &Goaway{NewSessionURI: "a", Timeout: 1<<64 - 1}, `
		10  Type
		000b  Length
		01 61  New Session URI
		ffffffffffffffffff  Timeout`},
}
