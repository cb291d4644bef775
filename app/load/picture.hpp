// A load generator's figures where people would rather look than read. At the end, never on a polling core.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/load/figures.hpp"

namespace crosswire {

/// SVG: latency by percentile, beside the floor's where `beside` has it, and over time. Says why it is partial.
std::string to_svg(const LoadFigures& figures, const LoadBeside& beside);

/// A span of time in the unit in which it is a short number: "100 ns", "20 us", "1 s".
std::string short_time(double ns);
/// Round marks of an axis from 0 to `most` > 0: four to eleven multiples of 1, 2 or 5 times a power of ten.
std::vector<double> round_marks(double most);

}  // namespace crosswire
