// `crosswire echo`: what it says before it touches a device.
#include "app/load/echo.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hugepages/host/core_list.hpp"
#include "hugepages/host/pinning.hpp"
#include "tests/app/venue.hpp"
#include "tests/folder.hpp"

namespace crosswire {
namespace {

TEST(EchoCommand, RefusesToPollBothHalvesOfTcpOnOneCore) {
  const unsigned core = *allowed_cores().begin();
  const test::Folder folder;
  const std::string config = folder.write(
      "c.toml",
      fmt::format("[port]\ndevice = \"net_nowhere0\"\naddress = \"10.99.0.1\"\n[placement]\nreceive = {}\n{}{}", core,
                  test::kSymbolTable, test::kAnnTable));
  EchoArguments arguments;
  arguments.config = config;
  arguments.tcp_port = 7;
  arguments.send_core = core;
  testing::internal::CaptureStderr();
  EXPECT_EQ(echo_main(arguments), 1);
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      fmt::format("crosswire echo: --send-core {}: receive polls there; name another core, or leave it out\n", core));
}

}  // namespace
}  // namespace crosswire
