// Names of files of which a process writes one after the other, a recording for each day and each start, and overwrites
// none. On the control thread.
#pragma once

#include <string>
#include <string_view>

namespace crosswire {

/// Of a path in whose last part `%F` stands for the trading date ("2026-03-29"), `%N` for a number, and `%%` for a
/// percent sign. "" or in one line what is wrong with it, and how to write it. `rolls`: the process goes on from day to
/// day, and after a crash on the same one, so it needs names without end.
std::string fault_of_pattern(const std::string& pattern, bool rolls);

/// The next file's name by a pattern without fault. Its number is 1, or one above the highest that a file of this
/// pattern and date has: gaps stay, so that the numbers tell the order. Without `%N` it is always the same for a date,
/// and the file may be there. `date`: as `%F` is to show it.
std::string next_file(const std::string& pattern, std::string_view date);

}  // namespace crosswire
