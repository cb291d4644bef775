// Brings a cache line on its way, without waiting. Any thread; any address, valid or not. Standard library only.
#pragma once

namespace crosswire {

/// The assembler in it keeps a function that does nothing but prefetch from being dropped as one without effect.
inline void prefetch_to_read(const void* address) {
  __builtin_prefetch(address, 0);
  asm volatile("" ::"r"(address));
}
inline void prefetch_to_write(const void* address) {
  __builtin_prefetch(address, 1);
  asm volatile("" ::"r"(address));
}

}  // namespace crosswire
