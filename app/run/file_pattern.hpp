// Names of files of which a process writes one after the other, a recording for each day and each start, and overwrites
// none. On the control thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace crosswire {

/// Of a path in whose last part `%F` stands for the trading date ("2026-03-29"), `%N` for a number, and `%%` for a
/// percent sign. "" or in one line what is wrong with it, and how to write it. `rolls`: the process goes on from day to
/// day, and after a crash on the same one, so it needs names without end.
std::string fault_of_pattern(const std::string& pattern, bool rolls);

/// A pattern with `%N`; one with `%F`.
bool is_numbered(const std::string& pattern);
bool is_dated(const std::string& pattern);

/// The numbers that files of a pattern with `%N` and that date have, whole or not (WholeFile). Throws as next_number().
std::set<std::uint64_t> numbers_of(const std::string& pattern, std::string_view date);

/// The number of the next files by patterns without fault, one for all: 1, or one above the highest that a file of one
/// of them and that date has, whole or not (WholeFile). Gaps stay, so that the numbers tell the order. Throws
/// std::runtime_error (one line) where a folder cannot be read or no number is left: a lower one would be somebody's.
std::uint64_t next_number(const std::vector<std::string>& patterns, std::string_view date);

/// A name by a pattern without fault. `date`: as `%F` is to show it.
std::string file_of(const std::string& pattern, std::string_view date, std::uint64_t number);

}  // namespace crosswire
