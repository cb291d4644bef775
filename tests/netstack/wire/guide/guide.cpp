// The protocols, each with its messages: see guide.hpp.
#include "tests/netstack/wire/guide/guide.hpp"

#include "tests/netstack/wire/guide/build.hpp"

namespace crosswire::wire::test {

const std::vector<Chapter>& protocols() {
  static const std::vector<Chapter> kProtocols = {{"soup", "SoupBinTCP packets", soup_packets()},
                                                  {"ouch_in", "OUCH, to the exchange", ouch_in()},
                                                  {"ouch_out", "OUCH, from the exchange", ouch_out()},
                                                  {"itch", "ITCH, on the feed", itch_messages()}};
  return kProtocols;
}

}  // namespace crosswire::wire::test
