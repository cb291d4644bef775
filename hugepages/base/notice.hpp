// Notices: what folders that know no log have to say to whoever runs the process. They go to stderr, or where the app
// sends them. Control threads and the recorder's; never a stage.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>

namespace crosswire {

/// info: what goes on. warning: look at it. error: somebody has to act now.
enum class NoticeLevel { info, warning, error };

/// `line` is without its end.
using NoticeSink = void (*)(NoticeLevel level, const std::string& line);

inline std::atomic<NoticeSink> g_notice_sink{nullptr};

/// From then on notices go to `sink`; nullptr: to stderr. Any thread.
inline void send_notices_to(NoticeSink sink) { g_notice_sink.store(sink); }

inline void notice(NoticeLevel level, const std::string& line) {
  if (const NoticeSink sink = g_notice_sink.load(); sink != nullptr) return sink(level, line);
  dprintf(STDERR_FILENO, "crosswire: %s\n", line.c_str());  // in one piece, beside other threads and processes
}

}  // namespace crosswire
