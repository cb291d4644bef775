// What `crosswire top` shows: a page of text from an appliance's figures. A pure function of values.
#pragma once

#include <cstddef>
#include <string>

#include "app/top/ask.hpp"

namespace crosswire {

/// The room that a page has, in letters.
struct TopSize {
  std::size_t rows, columns;
};

/// The page, lines ended, none longer than the size. `before`: the figures of an earlier page, for rates and for the
/// percentiles since; none: rates since the start.
std::string top_page(const TopFigures& now, const TopFigures* before, TopSize size);

}  // namespace crosswire
