// A message as one line of text, so that other decoders can be asked about it and answer in the same words.
//
//   NAME <tab> field=n:123 <tab> field=t:4c494d45 .. <tab> appendage=Firm,t:4c494d45;UserRefIdx,n:5
//
// n: a number in decimal, t: characters in hexadecimal, at full width. Without "appendage" there is none; empty, there
// is its length alone. MoldUDP64: name Packet, field messages=x4142,x43, each message in hexadecimal behind an x.
#pragma once

#include <string>
#include <string_view>

#include "netstack/wire/bytes.hpp"
#include "tests/netstack/wire/random_messages.hpp"

namespace crosswire::wire::test {

enum class Protocol { ouch_in, ouch_out, itch, soup, mold };

// "ouch-in" and so on; throws std::runtime_error for another.
Protocol protocol_of(std::string_view name);
std::string_view name_of(Protocol protocol);

// What crosswire's codecs read. "!" and the reason where they find a fault.
std::string describe(Protocol protocol, Bytes message);

// What crosswire's codecs write for such a line; throws std::runtime_error for a line that says nonsense.
Octets build(Protocol protocol, std::string_view text);

std::string to_hex(Bytes bytes);
Octets from_hex(std::string_view hex);

}  // namespace crosswire::wire::test
