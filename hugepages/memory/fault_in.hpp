// Pages of a new mapping, brought in before anybody uses them. Set-up only.
#pragma once

#include <cstddef>

namespace crosswire {

/// Faults every page of a mapping in, writing zeros where there is nothing else yet. False with errno: the kernel has
/// no such pages, as of hugepages that are bound to a node whose own are used up; touching them would be SIGBUS.
/// `page`: their size, bytes.
[[nodiscard]] bool fault_in(std::byte* base, std::size_t bytes, std::size_t page);

}  // namespace crosswire
