// Prints each message of the guide with each value that it names, for tests of who dissects them:
//
//   CHAPTER <tab> TITLE <tab> the message in hexadecimal
//   <tab> FILTER <tab> VALUE <tab> MEANING             of each field and option, as the codecs read it
//
// MoldUDP64 packets are the chapter `mold`, without fields.
#include <algorithm>
#include <iostream>
#include <string>

#include "tests/netstack/wire/guide/render.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::test {
namespace {

std::string meaning_of(const std::vector<Meaning>& values, std::string_view value) {
  for (const Meaning& one : values) {
    if (one.value == value || (value.empty() && one.value == " ")) return one.means;
  }
  return "";
}

void print_field(const std::string& filter, const std::string& value, const std::vector<Meaning>& values) {
  std::cout << '\t' << filter << '\t' << value << '\t' << meaning_of(values, value) << '\n';
}

/// Prints the message with the options that `nth` says; how many values the option with the most has.
std::size_t print_options(const Message& message, Octets& bytes, std::size_t nth, std::string& lines) {
  Octets room(256);
  ouch::OptionWriter writer(room);
  std::size_t most = 1;
  for (const ouch::Tag tag : message.tags) {
    const Option& option = option_of(tag);
    const std::size_t length = value_length(ouch::tag_info(tag).kind);
    Octets value(length, 0);
    std::string text = std::to_string(5 + nth);
    if (option.form == Form::letter) {
      const Meaning& one = option.values[nth % option.values.size()];
      text = one.value == " " ? "" : one.value;
      value[0] = static_cast<std::uint8_t>(one.value[0]);
    } else if (option.form == Form::text) {
      text = "LIME";
      std::copy(text.begin(), text.end(), value.begin());
    } else {
      value.back() = static_cast<std::uint8_t>(5 + nth);
    }
    writer.put(tag, value);
    most = std::max(most, option.values.size());
    lines += "\t" + filter_name(tag) + "\t" + text + "\t" + meaning_of(option.values, text) + "\n";
  }
  room.resize(writer.finish());
  bytes.resize(message.size);
  bytes.insert(bytes.end(), room.begin(), room.end());
  return most;
}

void print(const Chapter& chapter, const Message& message, const Octets& bytes, const std::string& options) {
  std::cout << chapter.name << '\t' << message.title << '\t' << to_hex(bytes) << '\n';
  const Values values = message.decode(bytes);
  for (std::size_t i = 0; i < message.fields.size(); ++i) {
    const Field& field = message.fields[i];
    print_field(filter_name(chapter, field), values[i].second, field.values);
  }
  std::cout << options;
}

void print_all(const Chapter& chapter, const Message& message) {
  Octets fixed = message.example;
  if (message.appendage != ouch::Appendage::none) fixed.resize(message.size);
  const bool may_be_bare = message.appendage != ouch::Appendage::always;
  std::size_t most = message.tags.empty() ? 0 : 1;
  for (std::size_t nth = 0; nth < most; ++nth) {
    Octets bytes = fixed;
    std::string lines;
    most = print_options(message, bytes, nth, lines);
    print(chapter, message, bytes, lines);
  }
  Octets bytes = fixed;
  if (!may_be_bare) bytes.insert(bytes.end(), 2, 0);
  print(chapter, message, bytes, "");
  for (const Field& field : message.fields) {
    for (const Meaning& value : field.values) {
      Octets varied = bytes;
      if (field.form == Form::letter) {
        varied[field.offset] = static_cast<std::uint8_t>(value.value[0]);
      } else if (field.form == Form::number) {
        varied[field.offset + field.length - 1] = static_cast<std::uint8_t>(std::stoul(value.value));
      }
      print(chapter, message, varied, "");
    }
  }
}

}  // namespace
}  // namespace crosswire::wire::test

int main() {
  using namespace crosswire::wire::test;
  for (const Chapter& chapter : protocols()) {
    for (const Message& message : chapter.messages) print_all(chapter, message);
  }
  for (const auto& [what, bytes] : mold_examples()) std::cout << "mold\t" << what << '\t' << to_hex(bytes) << '\n';
}
