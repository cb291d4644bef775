// A load generator's frames, the order datagrams of a capture sent again. All are made before the run, in memory that
// is a few times the capture's. The generator's polling thread; it allocates while it makes frames.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "app/load/options.hpp"
#include "app/load/source.hpp"
#include "netstack/frame_writer/datagram_template.hpp"
#include "netstack/wire/bytes.hpp"

namespace crosswire {

class LoadCaptureSource final : public LoadSource {
 public:
  /// `options.capture` outlives this.
  explicit LoadCaptureSource(const LoadOptions& options);
  /// All are added before the first make(), in order. `name`: the session that the datagrams are to be of.
  void add_session(const wire::alpha<10>& name, const DatagramTemplate& to_exchange) {
    sessions_.push_back({name, to_exchange, {}});
  }

  bool make() override;
  std::uint32_t find(std::uint32_t session, std::uint32_t user_ref_num) const override {
    return sessions_[session].refs.find(user_ref_num);
  }
  std::uint64_t left(TimeNs /*until*/) override { return frames_.size() - next_; }
  LoadUnanswered unanswered() const override;
  /// It is not known what rests: others of the capture's orders may have executed against it.
  void begin_clearing() override { next_ = frames_.size(); }
  bool cleared() const override { return true; }

 private:
  struct Session {
    wire::alpha<10> name;
    DatagramTemplate to_exchange;
    UserRefIndex refs;
  };

  void drop() override;
  void show_head();
  void keep(wire::Bytes message, std::uint32_t number, LoadMessage& known);

  const LoadCapture& capture_;
  std::optional<LoadSchedule> schedule_;
  std::vector<Session> sessions_;
  LoadFrames frames_;
  std::size_t next_ = 0;
};

}  // namespace crosswire
