// Any DPDK Ethernet device: brought up by the app at set-up, polled by receive, written to by transmit and publish.
// The ports make no allocation, system call or lock on the way of a frame; what the driver does is the driver's.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netstack/port/counters.hpp"
#include "netstack/port/device_gate.hpp"
#include "netstack/port/kernel_interface.hpp"
#include "netstack/port/link_frames.hpp"
#include "netstack/port/operator_rings.hpp"
#include "netstack/port/partial_checksum.hpp"
#include "netstack/port/port.hpp"
#include "netstack/port/tsc_clock.hpp"

struct rte_mbuf;
struct rte_mempool;

namespace crosswire {

struct DeviceOptions {
  std::string device;                   // as given to eal_start()
  std::uint16_t tx_queues = 1;          // transmit and publish on one core share one; on two cores each needs its own
  std::uint16_t rx_descriptors = 1024;  // the driver may round both
  std::uint16_t tx_descriptors = 1024;
  std::uint32_t tx_mbufs = 0;  // 0: as many as can be in use at once
  bool receive_all = false;  // also what is for other stations and groups: for clients of many addresses, and the feed
};

/// Of DPDK's memory, at most: what a device's buffers and queues take on its NUMA node. A test holds it.
inline constexpr int kDeviceMemoryMb = 32;

/// A started device with one receive queue and some transmit queues. Outlives its ports. Receives what is for its own
/// address and broadcasts: neither promiscuous nor all-multicast, unless the options say so. The checksums of what it
/// receives are left to it where it can; those of what is sent the stages write themselves (docs/decisions.md).
class Device {
 public:
  using Mac = std::array<std::uint8_t, 6>;

  /// Throws std::runtime_error (one line: what, where, how to fix it). The EAL runs, in this thread.
  explicit Device(const DeviceOptions& options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint16_t port_id() const { return port_id_; }
  [[nodiscard]] std::uint16_t tx_queues() const { return tx_queues_; }
  /// Of when it was opened last, as the two below.
  [[nodiscard]] Mac mac() const { return mac_; }
  /// NUMA node of the device, -1 where it has none.
  [[nodiscard]] int numa_node() const { return numa_node_; }
  /// Driver, rings and capabilities in words, for plans and start messages.
  [[nodiscard]] const std::string& description() const { return description_; }

  /// It polls an interface of the kernel (net_af_packet, net_af_xdp, net_tap), which hands over what its own programs
  /// send without the checksums of a card.
  [[nodiscard]] bool faces_kernel() const;
  /// The other end is a process, which comes and goes as it likes (vhost, virtio-user, memif), and no carrier that
  /// takes a moment after the start. While nobody is there such a device takes nothing, so that nothing is lost.
  [[nodiscard]] bool faces_process() const;
  [[nodiscard]] bool link_up() const;
  /// "" while frames can come and go, else why not: of a kernel interface as the kernel says it, of a card as its
  /// driver does. A link to a process has no fault: its other end comes and goes.
  [[nodiscard]] std::string link_fault() const;
  /// Waits until the link is up or `limit` is over; sleeps. Returns "" or one line, which is no reason not to start: a
  /// virtual device's other side may come later.
  [[nodiscard]] std::string wait_for_link(std::chrono::milliseconds limit) const;

  /// What the device itself has counted since it was started; 0 where its driver does not count. Any thread but a
  /// polling one: drivers may take locks or ask firmware. One at a time, others wait: some drivers add up what the
  /// device clears when it is read.
  [[nodiscard]] DeviceCounters counters() const;
  /// Whether rx_missed is all that found the receive ring full. Of some drivers nobody here knows it, and it says
  /// nothing. Any thread.
  [[nodiscard]] bool counts_missed() const { return counts_missed_.load(std::memory_order_relaxed); }

 private:
  friend class DeviceRxPort;
  friend class DeviceTxPort;
  friend class DeviceKeeper;

  // For the keeper, on the control thread (device_reopen.cpp). Those that fail throw as the constructor does.
  [[nodiscard]] bool reset_wanted() { return reset_wanted_.exchange(false, std::memory_order_relaxed); }
  /// "" or what has become of the kernel interface that it polls.
  [[nodiscard]] std::string interface_lost() const;
  [[nodiscard]] bool interface_there() const;
  /// Its gates are shut. Twice does nothing; what it had counted stays.
  void close_port();
  void open_again();
  /// False where the driver cannot.
  bool reset();

  void open();
  void bring_up();
  void configure();
  void set_up_queues();
  void start();
  void learn();
  /// `sockets`: the driver's.
  void begin_to_count(const std::vector<int>& sockets);
  void keep_counters();
  [[nodiscard]] DeviceCounters counted() const;
  [[noreturn]] void fail(const std::string& what, int error, const char* remedy) const;
  /// Where the driver refuses: for want of rights, if any are missing.
  [[noreturn]] void fail_of_driver(const std::string& what, int error, const char* remedy) const;

  DeviceOptions options_;
  std::string name_;
  std::uint16_t port_id_ = DeviceGate::kShut;  // while it is closed
  std::uint16_t tx_queues_;
  std::uint16_t rx_descriptors_;
  std::uint16_t tx_descriptors_;
  Mac mac_{};
  int numa_node_ = -1;
  std::string description_;
  // Apart, so that frames stuck on their way out never stop the way in, and because fast free wants one pool per queue.
  rte_mempool* rx_pool_ = nullptr;
  rte_mempool* tx_pool_ = nullptr;
  bool configured_ = false;
  std::vector<DeviceGate*> gates_;  // of its ports
  std::atomic<bool> reset_wanted_{false};
  std::atomic<bool> counts_missed_{false};
  mutable std::mutex counters_;           // for what follows, and for port_id_, which other threads read only to count
  DeviceCounters kept_counters_;          // of before it was opened last
  mutable DeviceCounters told_counters_;  // of since then, as the driver said last
  mutable std::unique_ptr<KernelLoss> kernel_loss_;  // while it is open
  std::unique_ptr<InterfaceLink> interface_link_;
};

/// The device's receive queue. One thread; frames are stamped with the time at which the burst was polled, and of empty
/// polls every kEmptyPollsPerClock-th tells a new time.
class DeviceRxPort final : public RxPort {
 public:
  /// `device` and `clock` outlive this. A day begins, as by begin_day() without lingering.
  DeviceRxPort(Device& device, const SharedClock& clock, std::int64_t midnight_epoch_ns);
  ~DeviceRxPort() override;
  DeviceRxPort(const DeviceRxPort&) = delete;
  DeviceRxPort& operator=(const DeviceRxPort&) = delete;

  /// Another trading day begins, now; its times count from `midnight_epoch_ns`, ns since the Unix epoch, which is not
  /// in the future (else std::runtime_error). `linger_ns`: for so long frames are taken behind its end. By who made
  /// this, while nobody polls.
  void begin_day(std::int64_t midnight_epoch_ns, TimeNs linger_ns);
  /// Takes what waits in the device, of which nothing belongs to the day that is to begin, and counts it
  /// (rx_between_days). As begin_day().
  void drop_waiting();

  /// Of a day that has begun.
  RxBurst receive() override;
  TimeNs time_now() override { return last_ns_ = now(); }

  /// From then on receive() hands on what operators ask, each as a burst of its own, until the day ends. As
  /// begin_day(); `rings` live until the next day begins.
  void take_operators(OperatorRings& rings) { operators_ = &rings.requests; }

  /// Any thread or signal handler. The day ends now: receive() says so at its next call, and `ended` when it has
  /// lingered.
  void request_day_end() { raise_wish(Wish::end_day); }
  /// Any thread or signal handler. receive() returns `ended` from its next call on.
  void request_end() { raise_wish(Wish::end); }
  /// receive() has returned `ended`, or was asked to: what is in the box drains. Any thread.
  [[nodiscard]] bool ending() const { return wish_.load(std::memory_order_relaxed) == Wish::end; }
  /// When the day began.
  [[nodiscard]] TimeNs start_time_ns() const { return start_ns_; }
  /// rx_oversized, rx_untaggable, rx_recorders_type, rx_in_pieces, rx_checksum_partial and rx_between_days, of all
  /// days. Any thread.
  [[nodiscard]] const DeviceCounters& counters() const { return counters_; }

 private:
  static constexpr std::uint32_t kEmptyPollsPerClock = 8;
  enum class Wish : std::uint8_t { go_on, end_day, end };

  [[nodiscard]] TimeNs now();
  void raise_wish(Wish wish);
  [[gnu::cold]] std::optional<RxBurst> end();
  RxBurst operators_burst();
  void stamp_frames();
  bool take(rte_mbuf*& mbuf, std::size_t index);
  void free_held();

  Device& device_;
  DeviceGate gate_;
  SharedClock::Copy clock_;
  std::int64_t midnight_epoch_ns_ = 0;
  TimeNs start_ns_ = 0;
  TimeNs last_ns_ = 0;         // never falls within a day
  TimeNs last_frames_ns_ = 0;  // of the last burst with frames
  TimeNs linger_ns_ = 0;
  TimeNs linger_until_ns_ = 0;  // from the day's end on
  bool day_over_ = false;
  PartialSums partial_sums_;
  std::uint32_t empty_polls_ = 0;
  std::size_t held_count_ = 0;
  std::array<rte_mbuf*, kMaxBurst> held_{};  // of the last burst
  std::array<RxFrame, kMaxBurst> views_{};
  std::unique_ptr<std::array<std::uint8_t, kMaxFrame>[]> scratch_;  // for frames in several segments
  DeviceCounters counters_;
  SpscRing<wire::OperatorFrame>* operators_ = nullptr;
  wire::OperatorFrame operator_frame_{};  // of the last burst, where it was an operator's
  alignas(64) std::atomic<Wish> wish_{Wish::go_on};
};

/// One stage's way out. Several may share a queue if one thread polls them all. On lines of its own: the stages beside
/// it may be on other cores.
class alignas(64) DeviceTxPort final : public TxPort {
 public:
  /// `device` outlives this. `queue`: 0 .. device.tx_queues() - 1.
  explicit DeviceTxPort(Device& device, std::uint16_t queue = 0);
  ~DeviceTxPort() override;  // frames that the device has not taken are gone
  DeviceTxPort(const DeviceTxPort&) = delete;
  DeviceTxPort& operator=(const DeviceTxPort&) = delete;

  std::size_t flush() override;

  /// From then on it tells the time, as a receive port of the same midnight does. Before it is polled; `clock` outlives
  /// this.
  void tell_time(const SharedClock& clock, std::int64_t midnight_epoch_ns) {
    clock_.emplace(clock);
    midnight_epoch_ns_ = midnight_epoch_ns;
  }
  TimeNs time_now() override;

  /// Forgets what the device has not taken, which is of the day that is over, and returns how many frames that are. By
  /// who made this, while nobody polls.
  std::size_t forget_unsent() { return std::exchange(used_, 0); }

  /// The control thread: the port's own sends them at its next flush(), before its stage's. Returns how many it takes,
  /// 0 while others wait.
  std::size_t leave(std::span<const LinkFrame> frames);

  /// What held the port up, tx_no_mbuf and tx_ring_full, by which nothing is lost; tx_no_device and arp_announcements.
  /// Any thread.
  [[nodiscard]] const DeviceCounters& counters() const { return counters_; }

 private:
  bool refill() override;
  std::size_t allocate(std::size_t first, std::size_t count);
  void close_gap(std::size_t first, std::size_t count);
  [[gnu::cold]] void answer_call();
  void send(const LinkFrame& frame, std::uint16_t port_id);
  [[gnu::cold]] std::size_t give_up_a_full_batch();

  Device& device_;
  DeviceGate gate_;
  std::uint16_t queue_;
  rte_mempool* pool_;
  std::array<rte_mbuf*, kMaxBurst> mbufs_{};  // batch_[i] is in mbufs_[i]
  DeviceCounters counters_;
  LinkFrames link_frames_;
  std::optional<SharedClock::Copy> clock_;  // none: it tells no time
  std::int64_t midnight_epoch_ns_ = 0;
  TimeNs last_ns_ = 0;  // never falls
};

}  // namespace crosswire
