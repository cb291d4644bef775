// The guide as a page of docs, and as tables of Lua: see render.hpp.
#include "tests/netstack/wire/guide/render.hpp"

#include <cctype>
#include <cstdio>

#include "netstack/wire/mold.hpp"
#include "tests/netstack/wire/guide/guide.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::test {
namespace {

constexpr std::size_t kWidth = 116;

std::string form_name(Form form, std::size_t length) {
  const std::string bits = "u" + std::to_string(8 * length);
  switch (form) {
    case Form::letter:
      return "letter";
    case Form::text:
      return "text";
    case Form::price:
      return "price " + bits;
    case Form::time:
      return "time " + bits;
    case Form::number:
    case Form::seconds:
      break;
  }
  return bits;
}

std::string quoted(std::string_view value) { return value == " " ? "space" : "`" + std::string(value) + "`"; }

std::string with_values(std::string says, const std::vector<Meaning>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    says += (i == 0 ? ": " : ", ") + quoted(values[i].value) + " " + values[i].means;
  return says;
}

/// Hexadecimal digits, a space between the parts of `lengths`; what they leave is one more part.
std::string hex_in_parts(Bytes bytes, const std::vector<std::size_t>& lengths) {
  std::string text, line;
  std::size_t at = 0;
  const auto add = [&](std::size_t length) {
    if (length == 0) return;
    const std::string part = to_hex(bytes.subspan(at, length));
    if (!line.empty() && line.size() + 1 + part.size() > kWidth) {
      text += line + "\n    ";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + part;
    at += length;
  };
  for (const std::size_t length : lengths) add(length);
  while (at < bytes.size()) add(std::min<std::size_t>(kWidth / 2, bytes.size() - at));
  return "    " + text + line + "\n\n";
}

std::string appendage_of(const Message& message) {
  std::string text;
  if (message.appendage == ouch::Appendage::none) return "";
  text += message.appendage == ouch::Appendage::always ? " Its appendage is always there."
          : message.sent                               ? " Its appendage is there where the channel is not 0."
                                                       : " Its appendage may be left out.";
  text += " Options: ";
  for (const ouch::Tag tag : message.tags) {
    if (tag != message.tags.front()) text += ", ";
    text += ouch::tag_info(tag).name;
  }
  return text + ".";
}

std::string wrapped(std::string_view text) {
  std::string result, line;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find(' ', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view word = text.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      result += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
    at = end + 1;
  }
  return result + line + "\n\n";
}

std::string section_of(const Message& message) {
  const bool from_exchange = message.sent;
  std::string text = "### " + message.title + " `" + message.letter + "`, " + std::to_string(message.size) + " bytes" +
                     (message.appendage == ouch::Appendage::none ? "" : " and options") + "\n\n";
  std::string when = message.when;
  when[0] = static_cast<char>(std::toupper(when[0]));
  text += wrapped(when + "." + appendage_of(message));
  text += from_exchange ? "| offset | length | type | field | says | held by |\n|--:|--:|---|---|---|---|\n"
                        : "| offset | length | type | field | says |\n|--:|--:|---|---|---|\n";
  std::vector<std::size_t> lengths;
  for (const Field& field : message.fields) {
    lengths.push_back(field.length);
    const bool inline_values = field.form != Form::number && !field.says.starts_with("always");
    text += "| " + std::to_string(field.offset) + " | " + std::to_string(field.length) + " | " +
            form_name(field.form, field.length) + " | " + field.name + " | " +
            (inline_values ? with_values(field.says, field.values) : field.says) + " |" +
            (from_exchange ? " `" + field.test + "` |" : "") + "\n";
  }
  if (message.example.size() > message.size && message.appendage != ouch::Appendage::none) lengths.push_back(2);
  return text + "\n" + hex_in_parts(message.example, lengths);
}

std::string mold_section() {
  std::string text = "## 2. MoldUDP64 packets\n\n";
  text += wrapped(
      "A header of 20 bytes, then as many blocks as it counts, each the message's length (2 bytes) and the message. "
      "They "
      "fill the datagram exactly. A header alone is a re-request, a heartbeat or the end, by its count.");
  text += "| offset | length | type | field | says |\n|--:|--:|---|---|---|\n";
  text += "| 0 | 10 | text | session | the name, as in Login Accepted; the feed has one of its own |\n";
  text +=
      "| 10 | 8 | u64 | sequence | number of the first message; of a re-request the first wanted; else the next |\n";
  text +=
      "| 18 | 2 | u16 | count | blocks that follow; of a re-request how many are wanted; 0 heartbeat; 65535 the end "
      "|\n\n";
  for (const auto& [what, bytes] : mold_examples()) {
    std::string sentence = what;
    sentence[0] = static_cast<char>(std::toupper(sentence[0]));
    std::vector<std::size_t> lengths = {10, 8, 2};
    for (mold::BlockReader reader(bytes); reader.next();) {
      lengths.push_back(2);
      lengths.push_back(reader.block().size());
    }
    text += sentence + ":\n\n" + hex_in_parts(bytes, lengths);
  }
  return text;
}

std::string options_section() {
  std::string text = "## 5. Options\n\n";
  text += wrapped(
      "The appendage is the length of all options (2 bytes), then each: a byte with the length of tag and value, the "
      "tag, "
      "the value. Their order is free. UserRefIdx 5 is `021c05`, with the length before it `0003021c05`.");
  text += "| tag | option | length byte | type | says |\n|--:|---|--:|---|---|\n";
  for (const Option& option : options()) {
    const ouch::TagInfo& info = ouch::tag_info(option.tag);
    const std::size_t length = value_length(info.kind);
    std::string form = form_name(option.form, length);
    if (info.kind == ouch::ValueKind::i32) form = "price i32";
    text += "| " + std::to_string(static_cast<unsigned>(option.tag)) + " | " + std::string(info.name) + " | " +
            std::to_string(length + 1) + " | " + form + " | " + with_values(option.says, option.values) + " |\n";
  }
  return text + "\n";
}

std::string reasons_section() {
  std::string text = "## 6. Reasons of Rejected\n\n| code | what is wrong |\n|---|---|\n";
  for (const Meaning& reason : reject_reasons()) {
    char code[8];
    std::snprintf(code, sizeof code, "0x%04X", static_cast<unsigned>(std::stoul(reason.value)));
    text += std::string("| `") + code + "` | " + reason.means + " |\n";
  }
  return text + "\n";
}

std::string lua_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) result += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return result + "\"";
}

std::string lua_values(const std::vector<Meaning>& values) {
  if (values.empty()) return "";
  std::string text = ", {";
  for (const Meaning& value : values)
    text += "[" + lua_string(value.value) + "] = " + lua_string(value.means) + (&value == &values.back() ? "}" : ", ");
  return text;
}

std::string lua_form(Form form) {
  constexpr const char* kNames[] = {"letter", "text", "number", "price", "time", "number"};
  return lua_string(kNames[static_cast<std::size_t>(form)]);
}

}  // namespace

std::string filter_name(const Chapter& chapter, const Field& field) {
  const std::string protocol = chapter.name.substr(0, chapter.name.find('_'));
  const bool number_of_reason = field.name == "reason" && field.form == Form::number;
  return "crosswire." + protocol + "." + (number_of_reason ? "reject_" : "") + field.name;
}

std::string filter_name(ouch::Tag tag) {
  std::string name = "crosswire.ouch.option.";
  const std::string_view title = ouch::tag_info(tag).name;
  for (std::size_t i = 0; i < title.size(); ++i) {
    if (i > 0 && std::isupper(title[i]) != 0 && std::islower(title[i - 1]) != 0) name += '_';
    name += static_cast<char>(std::tolower(title[i]));
  }
  return name;
}

std::string page() {
  std::string text;
  int number = 0;
  for (const Chapter& chapter : protocols()) {
    number = number == 0 ? 1 : number == 1 ? 3 : number == 4 ? 7 : number + 1;
    text += "## " + std::to_string(number) + ". " + chapter.title + "\n\n";
    for (const Message& message : chapter.messages) text += section_of(message);
    if (number == 1) text += mold_section();
    if (number == 4) text += options_section() + reasons_section();
  }
  text.pop_back();
  return text;
}

std::string lua() {
  std::string text = "local OPTIONS = {\n";
  for (const Option& option : options()) {
    const ouch::TagInfo& info = ouch::tag_info(option.tag);
    text += "  [" + std::to_string(static_cast<unsigned>(option.tag)) + "] = {" + lua_string(info.name) + ", " +
            lua_string(filter_name(option.tag)) + ", " + std::to_string(value_length(info.kind)) + ", " +
            lua_form(option.form) + lua_values(option.values) + "},\n";
  }
  text += "}\nlocal MESSAGES = {\n";
  for (const Chapter& chapter : protocols()) {
    text += "  " + chapter.name + " = {\n";
    for (const Message& message : chapter.messages) {
      text += "    [" + lua_string(std::string(1, message.letter)) + "] = {" + lua_string(message.title) + ", " +
              std::to_string(message.size) + ", {\n";
      for (const Field& field : message.fields) {
        text += "      {" + lua_string(filter_name(chapter, field)) + ", " + std::to_string(field.offset) + ", " +
                std::to_string(field.length) + ", " + lua_form(field.form) + lua_values(field.values) + "},\n";
      }
      text += "    }},\n";
    }
    text += "  },\n";
  }
  return text + "}\n";
}

}  // namespace crosswire::wire::test
