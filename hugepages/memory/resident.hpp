// Residence: every page that the process has mapped is faulted in, so that no stage meets its first touch of one on the
// way of an order. Set-up only: it makes system calls and takes as long as the memory is large.
#pragma once

namespace crosswire {

/// Faults in all that is mapped now, code and data of libraries and DPDK's memory included, and what the calling thread
/// may need of its stack; call it on the polling thread, last before it polls. Returns whether the kernel also promised
/// to leave the pages there (mlockall); without that right (CAP_IPC_LOCK, or RLIMIT_MEMLOCK of that size) they are
/// there now, and a machine short of memory may take those of files away again.
bool make_resident();

}  // namespace crosswire
