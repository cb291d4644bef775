// Captures that are packed, cut off while packed, or say less of themselves than they hold.
#include <zlib.h>
#include <zstd.h>

#include "netstack/port/capture.hpp"
#include "port_testing.hpp"

namespace crosswire::capture_file_test {
namespace {

constexpr std::size_t kFrames = 20'000;  // more than any buffer on the way

class CaptureFiles : public testing::Test {
 protected:
  /// A capture of so many frames, a microsecond apart; its bytes.
  std::string capture(std::size_t frames) const {
    CaptureWriter writer(folder_.file("plain.pcap"));
    for (std::size_t i = 0; i < frames; ++i) {
      writer.write(kMidnight + static_cast<std::int64_t>(kOpen + i * 1'000),
                   numbered_frame(static_cast<std::uint32_t>(i)));
    }
    EXPECT_EQ(writer.close(), "");
    return contents(folder_.file("plain.pcap"));
  }

  std::string file(const std::string& bytes) const {
    put_contents(folder_.file("packed"), bytes);  // no name says how
    return folder_.file("packed");
  }

  static std::string gzipped(const std::string& text, const std::string& path) {
    const gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return contents(path);
  }

  static std::string zstd(const std::string& text) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);  // as the program zstd does
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
    ZSTD_freeCCtx(context);
    return packed;
  }

  /// How many frames come, in their order; `error` is what ended them.
  static std::size_t frames_of(const std::string& path, std::string& error) {
    CaptureRxPort port(path, kMidnight);
    std::size_t frames = 0;
    bool in_order = true;
    for (RxBurst burst = port.receive(); !burst.ended; burst = port.receive()) {
      for (const RxFrame& frame : burst.frames) in_order &= number_of(frame.data) == frames++;
    }
    error = port.error();
    EXPECT_TRUE(in_order || !error.empty());
    return frames;
  }

  TemporaryFolder folder_;
};

TEST_F(CaptureFiles, AreReadPackedByGzipOrZstdAsTheyArePlain) {
  const std::string plain = capture(kFrames);
  const std::string half = zstd(plain.substr(0, plain.size() / 2));
  for (const std::string& bytes : {plain, gzipped(plain, folder_.file("a.gz")), zstd(plain),
                                   half + zstd(plain.substr(plain.size() / 2))}) {  // of two packed frames
    std::string error;
    EXPECT_EQ(frames_of(file(bytes), error), kFrames);
    EXPECT_EQ(error, "");
    EXPECT_EQ(CaptureRxPort::first_frame_epoch_ns(file(bytes)), kMidnight + static_cast<std::int64_t>(kOpen));
  }
}

TEST_F(CaptureFiles, CutOffOrDamagedWhilePackedAreAnErrorAndNoEnd) {
  const std::string plain = capture(kFrames);
  for (const std::string& whole : {gzipped(plain, folder_.file("a.gz")), zstd(plain)}) {
    std::string error;
    EXPECT_LT(frames_of(file(whole.substr(0, whole.size() / 2)), error), kFrames);
    EXPECT_NE(error.find("cut off or damaged"), std::string::npos) << error;
    frames_of(file(whole.substr(0, whole.size() - 2)), error);
    EXPECT_NE(error.find("cut off or damaged"), std::string::npos) << "its last bytes: " << error;
    std::string damaged = whole;
    for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 40; ++i) damaged[i] = 'x';
    frames_of(file(damaged), error);
    EXPECT_NE(error, "");
  }
}

TEST_F(CaptureFiles, GiveWholeFramesWhateverTheirSnapLengthSays) {
  std::string bytes = capture(10);
  bytes[16] = 40;  // the frames have 60
  bytes[17] = 0;
  CaptureRxPort port(file(bytes), kMidnight);
  const SeenRun run = play(port);
  ASSERT_EQ(run.bursts.size(), 10u);
  EXPECT_EQ(run.bursts[3].frames, (std::vector<FrameBytes>{numbered_frame(3)}));
  EXPECT_EQ(port.counters().get(CaptureCounter::cut_short), 0u);
}

TEST_F(CaptureFiles, OfSeveralKindsOfLinkSaySo) {
  // A section header and two interfaces, Ethernet and Linux's cooked one, without a frame.
  const auto words = [](std::initializer_list<std::uint32_t> values) {
    std::string bytes;
    for (const std::uint32_t value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return bytes;
  };
  const std::string path =
      file(words({0x0A0D0D0A, 28, 0x1A2B3C4D, 1, ~0u, ~0u, 28, 1, 20, 1, 0, 20, 1, 20, 113, 0, 20}));
  try {
    const CaptureRxPort port(path, kMidnight);
    FAIL() << "it is taken";
  } catch (const std::runtime_error& error) {
    const std::string said = error.what();
    EXPECT_NE(said.find("frames of one kind of link can be read"), std::string::npos) << said;
    EXPECT_EQ(said.find("damaged"), std::string::npos) << said;
  }
}

TEST_F(CaptureFiles, ThatAreFoldersAreNamedSo) {
  try {
    const CaptureRxPort port(folder_.file(""), kMidnight);
    FAIL() << "it is taken";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("cannot be read: Is a directory; "), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace crosswire::capture_file_test
