// A partition's stages, by number and name: what configuration, loops and figures have in common.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace crosswire {

/// In chain order.
enum class Stage : std::size_t { receive, match, transmit, publish };

/// By Stage; also the keys of [placement].
inline constexpr std::array<std::string_view, 4> kStageNames = {"receive", "match", "transmit", "publish"};
inline constexpr std::size_t kStages = kStageNames.size();

inline constexpr std::array<Stage, kStages> kAllStages = {Stage::receive, Stage::match, Stage::transmit,
                                                          Stage::publish};

constexpr std::size_t index_of(Stage stage) { return static_cast<std::size_t>(stage); }

}  // namespace crosswire
