// A load generator's frames, made from its mix while it runs: a few ahead, in memory that does not grow however long
// the run is. The same seed makes the same frames. The generator's polling thread; it allocates in its constructor.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/load/mix.hpp"
#include "app/load/options.hpp"
#include "app/load/source.hpp"
#include "netstack/client/order_client.hpp"
#include "netstack/frame_writer/datagram_template.hpp"

namespace crosswire {

class LoadMixSource final : public LoadSource {
 public:
  /// First the orders that fill the books, then the mix when `options` says that it is due. A session's messages are
  /// this source's from add_session() on: all are added before the first make(), in order.
  explicit LoadMixSource(const LoadOptions& options);
  /// `next_ref`: the first UserRefNum that it may use.
  void add_session(client::OrderClient& orders, const DatagramTemplate& to_exchange, std::uint32_t next_ref);

  bool make() override;
  std::uint32_t find(std::uint32_t session, std::uint32_t user_ref_num) const override {
    const std::uint32_t at = user_ref_num - sessions_[session].first_ref;
    const std::uint32_t used = mix_.used(session);
    if (at >= used || used - at > mix_.per_session()) return LoadMessage::kNone;
    return order_in(session * mix_.per_session() + (at & (mix_.per_session() - 1)));
  }
  std::uint64_t left(TimeNs until) override;
  LoadUnanswered unanswered() const override;
  void begin_clearing() override;
  bool cleared() const override { return phase_ == Phase::end; }

  /// What a source of these options takes, in bytes.
  static std::uint64_t memory(const LoadMixOptions& options, std::uint32_t sessions);

 private:
  static constexpr std::uint64_t kAhead = 256;
  static constexpr std::size_t kHeaders = 46;  // before a payload, of a tagged frame
  static constexpr std::size_t kImage = 120;
  enum class Phase { fill, mix, clear, end };

  /// A frame whose payload begins kHeaders behind the begin of `bytes`; what is in front of an untagged one is not it.
  struct Image {
    std::array<std::uint8_t, kImage> bytes;
    std::uint64_t sum;  // of all that UDP's checksum is of, but the payload
  };
  struct Cell {
    std::array<std::uint8_t, kImage> bytes;
    std::uint32_t size;  // of the frame
    std::uint32_t message;
  };
  static_assert(sizeof(Cell) == 128 && kImage >= LoadFrame::kReadable + kHeaders - 42);
  struct Session {
    Image enter, cancel;
    std::uint64_t next_upstream;
    std::uint32_t first_ref;
  };

  // A slot of the mix is an order and its cancel.
  static std::uint32_t order_in(std::uint32_t slot) { return 2 * slot; }
  static std::uint32_t cancel_in(std::uint32_t slot) { return 2 * slot + 1; }

  bool make_due(TimeNs& due_ns);
  bool make_clearing();
  void enter(const LoadOrder& order, std::uint32_t ref, TimeNs due_ns);
  void cancel(std::uint32_t session, std::uint32_t slot, std::uint32_t ref, TimeNs due_ns);
  template <class Message, class Write>
  void write(const Image& image, std::uint32_t session, std::uint32_t size, std::uint32_t message, Write&& write);
  void keep_account(std::uint32_t slot, LoadUnanswered& of) const;
  const char* next_cl_ord_id();
  void drop() override;
  void show_head();
  std::uint32_t ref_of(std::uint32_t session, std::uint32_t at) const;

  Cell& cell(std::uint64_t number) { return cells_[number % kAhead]; }

  std::vector<SymbolName> symbols_;
  std::optional<LoadSchedule> schedule_;
  TimeNs end_ns_;
  std::uint32_t resting_;
  LoadMix mix_;
  std::vector<Session> sessions_;
  std::size_t offset_ = 0;                          // where a frame begins in its image
  std::uint32_t enter_size_ = 0, cancel_size_ = 0;  // of frames
  Phase phase_;
  std::uint32_t clear_slot_ = 0;
  std::array<char, 8> cl_ord_id_ = {'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'};

  std::vector<Cell> cells_;  // kAhead
  std::uint64_t made_ = 0, popped_ = 0;
  LoadUnanswered gone_;  // of slots that were used again
};

}  // namespace crosswire
