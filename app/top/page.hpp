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

/// Sessions and books: as many as a page of a terminal has room for, with a line that says how many more there are, or
/// all that were asked for.
enum class TopLists { shortened, whole };

/// The page, lines ended, none longer than the size. `before`: the figures of an earlier page, for rates and for the
/// percentiles since; none, or of another day: rates since the day began. `trouble`: why these are not of now; "" if
/// they are.
std::string top_page(const TopFigures& now, const TopFigures* before, TopSize size, const std::string& trouble = "",
                     TopLists lists = TopLists::shortened);

}  // namespace crosswire
