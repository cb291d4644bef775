// The Prometheus endpoint: the live figures as metrics over HTTP, at /metrics. Its threads are prometheus-cpp's own and
// keep to the cores that the thread had which started it; a scrape reads counters and stops no stage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/figures/live_figures.hpp"

namespace prometheus {
struct MetricFamily;
}

namespace crosswire {

/// Everything that the endpoint shows, as of now. Conventions: seconds and bytes, `_total` for what only rises, labels
/// partition, stage, reason. Of a histogram's buckets, a value less than 1/64 below the bound may count as above it.
std::vector<prometheus::MetricFamily> prometheus_metrics(const LiveFigures& figures);

class PrometheusEndpoint {
 public:
  /// `address`: "127.0.0.1:9464". `figures` is complete and outlives this. Throws std::runtime_error (one line) if
  /// nothing can listen there.
  PrometheusEndpoint(const LiveFigures& figures, const std::string& address);
  ~PrometheusEndpoint();
  PrometheusEndpoint(const PrometheusEndpoint&) = delete;
  PrometheusEndpoint& operator=(const PrometheusEndpoint&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace crosswire
