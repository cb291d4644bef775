// The load generator's picture: curves, axes that people can read, why it is partial.
#include "app/load/picture.hpp"

#include <gtest/gtest.h>

namespace crosswire {
namespace {

LoadFigures some_figures() {
  LoadFigures figures;
  figures.measured_ns = kNsPerSecond;
  figures.intervals.resize(kLoadIntervals);
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    figures.of(LoadLatency::ack).record(i);
    figures.intervals[i % kLoadIntervals].record(i);
  }
  return figures;
}

std::size_t times(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(LoadPicture, HasItsCurves) {
  const std::string svg = to_svg(some_figures(), {});
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_EQ(times(svg, "<polyline"), 4u) << "percentiles; p50, p99 and max over time";
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
}

TEST(LoadPicture, HasTheFloorsCurveWhereItIsNamed) {
  const LoadBeside beside{{"order_to_ack", {{"p50", 300.0}, {"p90", 400.0}, {"p99", 2'000.0}, {"max", 9'000.0}}}};
  const std::string svg = to_svg(some_figures(), beside);
  EXPECT_EQ(times(svg, "<polyline"), 5u);
  EXPECT_NE(svg.find(">floor, order_to_ack<"), std::string::npos);
}

TEST(LoadPicture, SaysWhyItIsPartial) {
  LoadFigures figures = some_figures();
  EXPECT_EQ(to_svg(figures, {}).find("PARTIAL"), std::string::npos);
  figures.partial = "3 of 10 had no answer; R&D <asks>";
  EXPECT_NE(to_svg(figures, {}).find("PARTIAL: 3 of 10 had no answer; R&amp;D &lt;asks>"), std::string::npos);
}

TEST(LoadPicture, NamesTimesInTheUnitThatIsShortest) {
  EXPECT_EQ(short_time(1), "1 ns");
  EXPECT_EQ(short_time(100), "100 ns");
  EXPECT_EQ(short_time(1'000), "1 us");
  EXPECT_EQ(short_time(20'000), "20 us");
  EXPECT_EQ(short_time(1e6), "1 ms");
  EXPECT_EQ(short_time(1e9), "1 s");
  EXPECT_EQ(short_time(1e10), "10 s");
}

TEST(LoadPicture, HasRoundMarks) {
  EXPECT_EQ(round_marks(1), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(round_marks(10).size(), 6u);
  EXPECT_EQ(round_marks(60), (std::vector<double>{0, 10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(round_marks(7).back(), 7);
  for (double most = 0.003; most < 5'000; most *= 1.37) {
    const std::vector<double> marks = round_marks(most);
    EXPECT_GE(marks.size(), 4u) << most;
    EXPECT_LE(marks.size(), 11u) << most;
  }
}

}  // namespace
}  // namespace crosswire
