// A venue for small configurations: one symbol and two accounts, as TOML. Tests only.
#pragma once

#include <string_view>

namespace crosswire::test {

inline constexpr std::string_view kSymbolTable = R"([[symbol]]
name = "AAA"
reference_price_e4 = 1000000
tick_e4 = 100
)";

inline constexpr std::string_view kAnnTable = R"([[account]]
user = "ann"
password = "secret"
firm = "ANNS"
)";

inline constexpr std::string_view kBobTable = R"([[account]]
user = "bob"
password = "secret"
firm = "BOBS"
)";

}  // namespace crosswire::test
