// What a scenario expects, laid beside what came: both in words. Pure.
#pragma once

#include <string>
#include <string_view>

#include "app/scenario/words.hpp"

namespace crosswire {

/// The words of an expectation as tell() would write them: "1_000" as 1000, "@ 10" as "@ 10.00". Throws ScenarioFault
/// for what is no event.
Words as_told(const Words& expected);

/// Whether `told` is what is expected: of its kind, with the words of `expected` in their order; there may be more.
/// "@", "left" and the like go together with the word behind them.
bool is_expected(const Words& expected, std::string_view told);

}  // namespace crosswire
