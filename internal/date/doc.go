// Package date is the track of moqdateserver: the time of day, as objects.
//
// One group is one minute of Unix time. Its object 0 is the text
// "YYYY-MM-DD HH:MM:" in local time and comes at second 0 together with object
// 1, the text "0"; object s+1 is the number s of the second, without padding;
// object 61 marks the end of the group and comes with the next minute. What a
// Location holds is thus a function of nothing but the Location, and any past
// range can be fetched back to 1970.
//
// Clock is that function. Publisher writes the live objects into a log and
// serves fetches from the Clock, one goroutine per Publisher.
package date
