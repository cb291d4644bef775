// What docs/messages.md and scripts/crosswire.lua say of each message that crosswire reads or sends: where a field is
// and how long comes from the codecs, what it says from here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netstack/wire/ouch.hpp"
#include "tests/netstack/wire/fields.hpp"
#include "tests/netstack/wire/random_messages.hpp"

namespace crosswire::wire::test {

enum class Form : std::uint8_t { letter, text, number, price, time, seconds };

struct Meaning {
  std::string value;  // a letter, or a number in decimal
  std::string means;
};

struct Field {
  std::string name;
  std::size_t offset;
  std::size_t length;
  Form form;
  std::string says;
  std::vector<Meaning> values;  // all that crosswire takes or sends; empty: any
  std::string test;             // suite.name of the one that holds it; of sent messages
};

/// A field's name and what it is in one message, as its codec reads it.
using Values = std::vector<std::pair<std::string, std::string>>;

struct Message {
  std::string title;
  char letter;
  std::size_t size;  // of the fixed part
  bool sent;         // by the exchange
  ouch::Appendage appendage = ouch::Appendage::none;
  std::vector<ouch::Tag> tags;  // options that crosswire reads, or sends
  std::string when;
  std::vector<Field> fields;
  Octets example;
  std::function<Values(Bytes)> decode;
};

struct Chapter {
  std::string name;   // ouch_in, ouch_out, itch, soup
  std::string title;  // of its chapter
  std::vector<Message> messages;
};

struct Option {
  ouch::Tag tag;
  Form form;
  std::string says;
  std::vector<Meaning> values;
};

const std::vector<Chapter>& protocols();
const std::vector<Option>& options();
const std::vector<Meaning>& reject_reasons();
const Option& option_of(ouch::Tag tag);

/// MoldUDP64 packets with a name for each.
std::vector<std::pair<std::string, Octets>> mold_examples();

}  // namespace crosswire::wire::test
