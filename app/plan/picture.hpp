// The machine of a plan as a picture: packages, nodes, caches and cores, with the stages in them. Set-up only.
#pragma once

#include <string>

#include "app/plan/plan.hpp"

namespace crosswire {

/// For terminals: boxes of + - |, at most 100 columns.
std::string plan_ascii(const Plan& plan);
/// For documents.
std::string plan_svg(const Plan& plan);

}  // namespace crosswire
