// docs/messages.md and scripts/crosswire.lua say what the codecs do: both have parts that are made from them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "netstack/wire/mold.hpp"
#include "tests/netstack/wire/guide/render.hpp"
#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::test {
namespace {

/// What stands between the marks of a file is `made`; CROSSWIRE_WRITE_DOCS makes it so.
void expect_between_marks(const std::string& file, const std::string& mark, const std::string& end_mark,
                          const std::string& made) {
  const std::string path = std::string(CROSSWIRE_SOURCE_ROOT) + "/" + file;
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string text = read.str();
  const std::size_t begin = text.find(mark), end = text.find(end_mark);
  ASSERT_TRUE(begin < end && end != std::string::npos) << path << " has lost the marks around its messages";
  const std::size_t first = begin + mark.size();
  if (std::getenv("CROSSWIRE_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << text.substr(0, first) << made << text.substr(end);
    return;
  }
  EXPECT_EQ(text.substr(first, end - first), made)
      << "refresh it with: CROSSWIRE_WRITE_DOCS=1 meson test -C build messages";
}

TEST(Messages, AreWhatTheDocsSayOfThem) {
  expect_between_marks("docs/messages.md",
                       "<!-- messages: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build messages` -->\n\n",
                       "<!-- end of messages -->\n", page());
}

TEST(Messages, AreWhatTheDissectorSaysOfThem) {
  expect_between_marks("scripts/crosswire.lua",
                       "-- messages: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build messages`\n",
                       "-- end of messages\n", lua());
}

TEST(Messages, HaveExamplesThatTheCodecsRead) {
  for (const Chapter& chapter : protocols()) {
    std::string name = chapter.name;
    std::replace(name.begin(), name.end(), '_', '-');
    for (const Message& message : chapter.messages) {
      const std::string text = describe(protocol_of(name), message.example);
      EXPECT_FALSE(text.starts_with('!')) << message.title << ": " << text;
    }
  }
  for (const auto& [what, bytes] : mold_examples()) {
    const bool request = mold::packet_kind(bytes) == mold::PacketKind::request;
    EXPECT_EQ(mold::fault_of(bytes), request ? mold::BlockFault::truncated : mold::BlockFault::none) << what;
  }
}

/// All that a client may send is read; of answers and the feed's messages not all are made.
TEST(Messages, NameEachThatTheExchangeReads) {
  std::set<char> letters;
  for (const Message& message : protocols()[1].messages) letters.insert(message.letter);
  EXPECT_EQ(letters.size(), ouch::kInbound.size());
  for (const ouch::MessageInfo& info : ouch::kInbound) EXPECT_TRUE(letters.contains(info.type)) << info.name;
}

TEST(Messages, SayWhatEachOptionIsThatTheyTake) {
  for (const Chapter& chapter : protocols()) {
    for (const Message& message : chapter.messages) {
      for (const ouch::Tag tag : message.tags) EXPECT_EQ(option_of(tag).tag, tag) << message.title;
    }
  }
}

}  // namespace
}  // namespace crosswire::wire::test
