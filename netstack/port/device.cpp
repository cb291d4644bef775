// DPDK devices: the only callers of rte_eth_* (with the EAL's probing). The two ports' receive() and flush() are hot.
#include "netstack/port/device.hpp"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "netstack/port/eal.hpp"
#include "netstack/port/rx_checksums.hpp"

namespace crosswire {
namespace {

constexpr unsigned kPoolCache = 256;
/// A pool's cache holds up to one and a half times its size back from everybody else; one polling thread per queue, one
/// more for the thread that starts and ends, and of the transmit pool one for receive (net_ring hands its buffers
/// round).
constexpr unsigned cached_mbufs(unsigned threads) { return kPoolCache * 3 / 2 * threads; }
/// Buffers in the hands of the ports: one burst of the receive port, one batch each of transmit and publish.
constexpr unsigned kHeld = 2 * static_cast<unsigned>(kMaxBurst);

rte_eth_dev_info info_of(std::uint16_t port_id) {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(port_id, &info);
  return info;
}

/// net_af_xdp fills a ring of 2048 whatever was asked for, and copies what is sent into as many of the same pool.
constexpr unsigned kHeldByAfXdp = 4096;

rte_mempool* make_pool(const char* use, std::uint16_t port_id, unsigned mbufs, int socket) {
  const std::string name = std::string("cw_") + use + "_" + std::to_string(port_id);
  return rte_pktmbuf_pool_create(name.c_str(), mbufs, std::min(kPoolCache, mbufs / 2), 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                 socket);
}

static_assert(kMtu == RTE_ETHER_MTU && kMaxFrame == RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + kMtu, "as DPDK counts them");
static_assert(RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM >= kMaxFrame + RTE_ETHER_CRC_LEN,
              "a frame fits one segment");

}  // namespace

// --- device ---

Device::Device(const DeviceOptions& options)
    : options_(options), name_(device_name(options.device)), tx_queues_(options.tx_queues) {
  const DpdkErrors errors;  // also while what has failed is closed, which says nothing new
  const PrintedLines printed;
  try {
    open();
  } catch (...) {
    close_port();
    rte_mempool_free(tx_pool_);
    throw;
  }
}

Device::~Device() {
  const PrintedLines printed;
  close_port();
  rte_mempool_free(tx_pool_);
}

void Device::fail(const std::string& what, int error, const char* remedy) const {
  const std::string said = DpdkErrors::text();
  throw std::runtime_error("device \"" + name_ + "\" " + what + ": " + rte_strerror(error < 0 ? -error : error) +
                           (said.empty() ? "" : " (" + said + ")") + "; " + remedy);
}

void Device::fail_of_driver(const std::string& what, int error, const char* remedy) const {
  const std::string rights = missing_rights(name_);
  if (rights.empty()) {
    if (description_.empty()) PrintedLines::report();  // at the start; later it is tried again and again
    fail(what, error, remedy);
  }
  fail(what, error, ("give the process " + rights + ", or run it as root").c_str());
}

void Device::configure() {
  const rte_eth_dev_info info = info_of(port_id_);
  if (tx_queues_ == 0 || info.max_tx_queues < tx_queues_) {
    fail("has " + std::to_string(info.max_tx_queues) + " transmit queues and is to use " + std::to_string(tx_queues_),
         EINVAL, "place transmit and publish on one core, so that they share one");
  }
  if (info.max_mtu < kMtu) {
    fail("takes datagrams of up to " + std::to_string(info.max_mtu) + " bytes", EMSGSIZE,
         (std::to_string(kMtu) + " are needed").c_str());
  }
  rte_eth_conf conf{};
  conf.rxmode.mtu = kMtu;
  conf.rxmode.offloads = rx_checksums(info, faces_kernel());
  conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  configured_ = true;  // from here on there is something to close
  if (const int error = rte_eth_dev_configure(port_id_, 1, tx_queues_, &conf); error != 0) {
    fail_of_driver("cannot be configured", error, "is another process using it?");
  }
  rx_descriptors_ = options_.rx_descriptors;
  tx_descriptors_ = options_.tx_descriptors;
  if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_descriptors_, &tx_descriptors_); error != 0) {
    fail("cannot have " + std::to_string(options_.rx_descriptors) + " receive and " +
             std::to_string(options_.tx_descriptors) + " transmit descriptors",
         error, "use powers of two up to 4096");
  }
}

void Device::set_up_queues() {
  const int socket = rte_eth_dev_socket_id(port_id_);
  const rte_eth_dev_info info = info_of(port_id_);
  const unsigned held_by_driver = std::string_view(info.driver_name) == "net_af_xdp" ? kHeldByAfXdp : 0;
  const unsigned rx_mbufs = rx_descriptors_ + held_by_driver + kHeld + cached_mbufs(2);
  const unsigned tx_in_use = tx_queues_ * (tx_descriptors_ + kHeld) + cached_mbufs(tx_queues_ + 2u);
  // They are there still when a card was reset, whose driver may give back the old ones only now; the transmit ones, of
  // which the stages hold some, always.
  if (rx_pool_ == nullptr) rx_pool_ = make_pool("rx", port_id_, rx_mbufs, socket);
  if (tx_pool_ == nullptr) {
    tx_pool_ = make_pool("tx", port_id_, options_.tx_mbufs != 0 ? options_.tx_mbufs : tx_in_use, socket);
  }
  if (rx_pool_ == nullptr || tx_pool_ == nullptr) fail("gets no buffers", rte_errno, "give DPDK more memory");

  rte_eth_rxconf rx_conf = info.default_rxconf;
  rx_conf.offloads = 0;
  if (const int error =
          rte_eth_rx_queue_setup(port_id_, 0, rx_descriptors_, static_cast<unsigned>(socket), &rx_conf, rx_pool_);
      error != 0) {
    fail_of_driver("cannot set up its receive queue", error, "try fewer descriptors");
  }
  rte_eth_txconf tx_conf = info.default_txconf;
  tx_conf.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  for (std::uint16_t queue = 0; queue < tx_queues_; ++queue) {
    const int error = rte_eth_tx_queue_setup(port_id_, queue, tx_descriptors_, static_cast<unsigned>(socket), &tx_conf);
    if (error != 0)
      fail_of_driver("cannot set up transmit queue " + std::to_string(queue), error, "try fewer descriptors");
  }
}

void Device::start() {
  if (const int error = rte_eth_dev_start(port_id_); error != 0) {
    fail_of_driver("cannot be started", error, "see what the driver says");
  }
  // Devices without these switches (most virtual ones) say so, and receive everything; the stages look at addresses.
  if (options_.receive_all) {
    rte_eth_promiscuous_enable(port_id_);
    rte_eth_allmulticast_enable(port_id_);
  } else {
    rte_eth_promiscuous_disable(port_id_);
    rte_eth_allmulticast_disable(port_id_);
  }
  std::uint16_t mtu = kMtu;
  // Drivers of kernel interfaces do not know theirs, and a longer frame is lost without a word.
  if (const unsigned kernels = interface_mtu(options_.device); kernels != 0) {
    mtu = static_cast<std::uint16_t>(std::min(kernels, unsigned{kMtu}));
  } else if (rte_eth_dev_get_mtu(port_id_, &mtu) != 0) {
    mtu = kMtu;
  }
  if (mtu < kMtu) {
    fail("has an MTU of " + std::to_string(mtu), EMSGSIZE, ("set it to " + std::to_string(kMtu)).c_str());
  }
}

bool Device::faces_kernel() const {
  constexpr std::array<std::string_view, 3> kDrivers = {"net_af_packet", "net_af_xdp", "net_tap"};
  return std::any_of(kDrivers.begin(), kDrivers.end(),
                     [this](auto driver) { return name_.compare(0, driver.size(), driver) == 0; });
}

bool Device::faces_process() const {
  constexpr std::array<std::string_view, 3> kDrivers = {"net_vhost", "net_virtio_user", "net_memif"};
  return std::any_of(kDrivers.begin(), kDrivers.end(),
                     [this](auto driver) { return name_.compare(0, driver.size(), driver) == 0; });
}

bool Device::link_up() const {
  rte_eth_link link{};
  return port_id_ != DeviceGate::kShut && rte_eth_link_get_nowait(port_id_, &link) == 0 &&
         link.link_status == RTE_ETH_LINK_UP;
}

std::string Device::link_fault() const {
  if (std::string fault = interface_link_->fault(); !fault.empty()) return fault;
  return faces_process() || link_up() ? "" : "no carrier";
}

std::string Device::wait_for_link(std::chrono::milliseconds limit) const {
  constexpr std::chrono::milliseconds kStep{10};
  for (std::chrono::milliseconds waited{0}; !link_up(); waited += kStep) {
    if (waited >= limit) {
      return "device \"" + name_ + "\": no link after " + std::to_string(limit.count()) +
             " ms; check the cable or the other side";
    }
    std::this_thread::sleep_for(kStep);
  }
  return "";
}

// --- receive ---

DeviceRxPort::DeviceRxPort(Device& device, const SharedClock& clock, std::int64_t midnight_epoch_ns)
    : device_(device),
      gate_(device.port_id()),
      clock_(clock),
      partial_sums_(partial_sums(info_of(device.port_id()), device.faces_kernel())),
      scratch_(std::make_unique<std::array<std::uint8_t, kMaxFrame>[]>(kMaxBurst)) {
  begin_day(midnight_epoch_ns, 0);
  device_.gates_.push_back(&gate_);
}

void DeviceRxPort::begin_day(std::int64_t midnight_epoch_ns, TimeNs linger_ns) {
  const std::int64_t since_midnight_ns = clock_.latest().now_epoch_ns() - midnight_epoch_ns;
  if (since_midnight_ns < 0) {
    throw std::runtime_error(
        "midnight of the trading day is in the future; check the date in the configuration or the "
        "host's clock");
  }
  free_held();
  midnight_epoch_ns_ = midnight_epoch_ns;
  start_ns_ = last_ns_ = last_frames_ns_ = static_cast<TimeNs>(since_midnight_ns);
  linger_ns_ = linger_ns;
  day_over_ = false;
  operators_ = nullptr;
  wish_.store(Wish::go_on, std::memory_order_relaxed);
}

void DeviceRxPort::drop_waiting() {
  constexpr unsigned kMostBursts = 4096;  // more than any ring holds: who sends without end is not waited for
  rte_mbuf* mbufs[kMaxBurst];
  for (unsigned burst = 0; burst < kMostBursts; ++burst) {
    const std::uint16_t port_id = gate_.enter();
    const std::uint16_t polled = port_id == DeviceGate::kShut ? 0 : rte_eth_rx_burst(port_id, 0, mbufs, kMaxBurst);
    if (polled == 0) return;
    rte_pktmbuf_free_bulk(mbufs, polled);
    counters_.add(DeviceCounter::rx_between_days, polled);
  }
}

/// Wishes only grow, whoever has them first.
void DeviceRxPort::raise_wish(Wish wish) {
  Wish before = wish_.load(std::memory_order_relaxed);
  while (before < wish && !wish_.compare_exchange_weak(before, wish, std::memory_order_relaxed)) {
  }
}

DeviceRxPort::~DeviceRxPort() {
  std::erase(device_.gates_, &gate_);
  free_held();
}

void DeviceRxPort::free_held() {
  rte_pktmbuf_free_bulk(held_.data(), static_cast<unsigned>(held_count_));
  held_count_ = 0;
}

/// Never before an earlier answer, whatever the counters of two cores say, and a clock that has come to run slower.
TimeNs DeviceRxPort::now() {
  const std::int64_t since_midnight_ns = clock_.latest().now_epoch_ns() - midnight_epoch_ns_;
  return std::max(last_ns_, static_cast<TimeNs>(std::max<std::int64_t>(since_midnight_ns, 0)));
}

RxBurst DeviceRxPort::receive() {
  if (held_count_ != 0) free_held();
  if (wish_.load(std::memory_order_relaxed) != Wish::go_on) [[unlikely]] {
    if (const auto last = end()) return *last;
  }
  if (operators_ != nullptr && operators_->pop(operator_frame_)) [[unlikely]]
    return operators_burst();

  rte_mbuf* mbufs[kMaxBurst];
  const std::uint16_t port_id = gate_.enter();  // nothing is held here
  const std::uint16_t polled =
      port_id == DeviceGate::kShut ? std::uint16_t{0} : rte_eth_rx_burst(port_id, 0, mbufs, kMaxBurst);
  if (polled == 0) {
    if (++empty_polls_ % kEmptyPollsPerClock == 0) last_ns_ = now();
    return {{}, last_ns_, false};
  }
  last_ns_ = now();

  for (std::uint16_t i = 0; i < polled; ++i) {
    if (take(mbufs[i], held_count_)) held_[held_count_++] = mbufs[i];
  }
  if (held_count_ == 0) return {{}, last_ns_, false};
  stamp_frames();
  return {{views_.data(), held_count_}, last_ns_, false};
}

/// The burst marks of a recording are its times, so two bursts never share one.
void DeviceRxPort::stamp_frames() {
  last_ns_ = std::max(last_ns_, last_frames_ns_ + 1);
  last_frames_ns_ = last_ns_;
}

RxBurst DeviceRxPort::operators_burst() {
  last_ns_ = now();
  stamp_frames();
  views_[0] = {reinterpret_cast<const std::uint8_t*>(&operator_frame_), sizeof operator_frame_};
  return {{views_.data(), 1}, last_ns_, false, true};
}

/// What is due at the day's end and behind it; nothing while the port lingers. Time stands still when it has ended.
std::optional<RxBurst> DeviceRxPort::end() {
  const bool first = !day_over_;
  if (first) {
    last_ns_ = now();
    linger_until_ns_ = last_ns_ + linger_ns_;
    day_over_ = true;
    operators_ = nullptr;
  }
  if (last_ns_ >= linger_until_ns_) request_end();
  if (wish_.load(std::memory_order_relaxed) == Wish::end) return RxBurst{{}, last_ns_, true};
  if (first) return RxBurst{{}, last_ns_, false, false, true};
  return std::nullopt;
}

/// Makes views_[index] of a frame, or frees and counts it.
bool DeviceRxPort::take(rte_mbuf*& mbuf, std::size_t index) {
  // Some drivers (af_packet) take the tag out even when not asked to.
  const bool tag_missing = (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
  if (tag_missing && rte_vlan_insert(&mbuf) != 0) [[unlikely]] {
    counters_.add(DeviceCounter::rx_untaggable);
    rte_pktmbuf_free(mbuf);
    return false;
  }
  const std::uint32_t length = rte_pktmbuf_pkt_len(mbuf);
  if (length > kMaxFrame) [[unlikely]] {
    counters_.add(DeviceCounter::rx_oversized);
    rte_pktmbuf_free(mbuf);
    return false;
  }
  // The frame itself where it is in one piece, else a copy of its pieces.
  const void* data = rte_pktmbuf_read(mbuf, 0, length, scratch_[index].data());
  if (data == scratch_[index].data()) [[unlikely]]
    counters_.add(DeviceCounter::rx_in_pieces);
  views_[index] = {static_cast<const std::uint8_t*>(data), length, checked_sums(mbuf->ol_flags)};
  // The bytes are the buffer's own or a copy; what is borrowed of another buffer is left as it is.
  const bool ours = RTE_MBUF_DIRECT(mbuf) || data == scratch_[index].data();
  if (may_be_partial(partial_sums_, mbuf->ol_flags) && ours &&
      settle_partial_checksum(const_cast<std::uint8_t*>(views_[index].data), length)) {
    counters_.add(DeviceCounter::rx_checksum_partial);
  }
  if (wire::is_recorders(views_[index].data, length)) [[unlikely]] {
    counters_.add(DeviceCounter::rx_recorders_type);
    rte_pktmbuf_free(mbuf);
    return false;
  }
  return true;
}

// --- transmit ---

DeviceTxPort::DeviceTxPort(Device& device, std::uint16_t queue)
    : device_(device), gate_(device.port_id(), &called_), queue_(queue), pool_(device.tx_pool_) {
  CHECK(queue < device.tx_queues(), "queue %u of %u", queue, device.tx_queues());
  device_.gates_.push_back(&gate_);
}

TimeNs DeviceTxPort::time_now() {
  if (!clock_) return 0;
  const std::int64_t since_midnight_ns = clock_->latest().now_epoch_ns() - midnight_epoch_ns_;
  return last_ns_ = std::max(last_ns_, static_cast<TimeNs>(std::max<std::int64_t>(since_midnight_ns, 0)));
}

DeviceTxPort::~DeviceTxPort() {
  std::erase(device_.gates_, &gate_);
  rte_pktmbuf_free_bulk(mbufs_.data(), static_cast<unsigned>(ready_));
}

/// Puts fresh buffers into slots first .. first + count - 1; all of them or none.
std::size_t DeviceTxPort::allocate(std::size_t first, std::size_t count) {
  if (count == 0 || rte_pktmbuf_alloc_bulk(pool_, &mbufs_[first], static_cast<unsigned>(count)) != 0) return 0;
  for (std::size_t i = first; i < first + count; ++i) batch_[i].data = rte_pktmbuf_mtod(mbufs_[i], std::uint8_t*);
  return count;
}

/// Moves what lies behind slots first .. first + count - 1 down over them.
void DeviceTxPort::close_gap(std::size_t first, std::size_t count) {
  std::copy(batch_.begin() + static_cast<std::ptrdiff_t>(first + count),
            batch_.begin() + static_cast<std::ptrdiff_t>(ready_), batch_.begin() + static_cast<std::ptrdiff_t>(first));
  std::copy(mbufs_.begin() + static_cast<std::ptrdiff_t>(first + count),
            mbufs_.begin() + static_cast<std::ptrdiff_t>(ready_), mbufs_.begin() + static_cast<std::ptrdiff_t>(first));
  ready_ -= count;
}

std::size_t DeviceTxPort::flush() {
  if (called_.load(std::memory_order_relaxed)) [[unlikely]]
    answer_call();
  if (used_ == 0) return 0;
  const std::uint16_t port_id = gate_.enter();
  if (port_id == DeviceGate::kShut) [[unlikely]]
    return give_up_a_full_batch();
  for (std::size_t i = 0; i < used_; ++i) {
    mbufs_[i]->data_len = static_cast<std::uint16_t>(batch_[i].length);
    mbufs_[i]->pkt_len = batch_[i].length;
  }
  const std::size_t sent = rte_eth_tx_burst(port_id, queue_, mbufs_.data(), static_cast<std::uint16_t>(used_));
  if (sent < used_) [[unlikely]] {
    counters_.add(DeviceCounter::tx_ring_full);
    close_gap(0, sent);
    used_ -= sent;
    return sent;
  }
  // All gone. The buffer behind them may be reserved, so it becomes the first; fresh ones take the sent ones' places,
  // which is cheaper than moving all the rest down.
  used_ = 0;
  std::size_t gap = 0;
  if (sent < ready_) {
    batch_[0] = batch_[sent];
    mbufs_[0] = mbufs_[sent];
    gap = 1;
  }
  if (allocate(gap, sent) == 0) close_gap(gap, sent);
  return sent;
}

/// The control thread wants this one to see that the device goes away, or has left frames of the link's own.
void DeviceTxPort::answer_call() {
  called_.exchange(false, std::memory_order_acquire);  // a call from now on is another one
  const std::uint16_t port_id = gate_.enter();
  if (port_id == DeviceGate::kShut) return;
  link_frames_.take([this, port_id](const LinkFrame& frame) { send(frame, port_id); });
}

std::size_t DeviceTxPort::leave(std::span<const LinkFrame> frames) {
  const std::size_t count = link_frames_.leave(frames);
  called_.store(true, std::memory_order_release);
  return count;
}

/// At once or never: it is said again.
void DeviceTxPort::send(const LinkFrame& frame, std::uint16_t port_id) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return;
  std::copy(frame.begin(), frame.end(),
            reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(mbuf, std::tuple_size_v<LinkFrame>)));
  if (rte_eth_tx_burst(port_id, queue_, &mbuf, 1) == 1) {
    counters_.add(DeviceCounter::arp_announcements);
  } else {
    rte_pktmbuf_free(mbuf);
  }
}

/// While the device is away the market goes on, whoever could not hear of it. The buffers stay.
std::size_t DeviceTxPort::give_up_a_full_batch() {
  if (used_ < kMaxBurst) return 0;
  counters_.add(DeviceCounter::tx_no_device, used_);
  used_ = 0;
  return 0;
}

bool DeviceTxPort::refill() {
  if (used_ == kMaxBurst) flush();
  if (used_ < ready_) return true;
  if (used_ == kMaxBurst) return false;
  // A whole batch, or what little a nearly empty pool still has.
  ready_ += allocate(ready_, kMaxBurst - ready_);
  if (ready_ == used_) ready_ += allocate(ready_, 1);
  if (ready_ > used_) return true;
  counters_.add(DeviceCounter::tx_no_mbuf);
  return false;
}

}  // namespace crosswire
