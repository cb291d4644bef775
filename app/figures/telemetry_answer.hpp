// What answers on DPDK's telemetry socket are written with: dictionaries, tables as columns, and the words for who asks
// for what is not there. For app/figures/telemetry*.cpp alone; on threads of DPDK's telemetry.
#pragma once

#include <fmt/format.h>
#include <rte_telemetry.h>

#include <charconv>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/figures/live_figures.hpp"

namespace crosswire::telemetry {

/// A dictionary under way. Names are letters, digits, "_" and "/": anything else becomes "_".
class Dict {
 public:
  explicit Dict(rte_tel_data* data) : data_(data) { rte_tel_data_start_dict(data); }

  void add(std::string_view name, std::uint64_t value) { rte_tel_data_add_dict_u64(data_, key(name).c_str(), value); }
  void add(std::string_view name, int value) { rte_tel_data_add_dict_int(data_, key(name).c_str(), value); }
  void add(std::string_view name, const std::string& value) {
    rte_tel_data_add_dict_string(data_, key(name).c_str(), value.c_str());
  }
  /// Takes the array over.
  void add(std::string_view name, rte_tel_data* array) {
    if (rte_tel_data_add_dict_container(data_, key(name).c_str(), array, 0) != 0) rte_tel_data_free(array);
  }

 private:
  static std::string key(std::string_view name) {
    std::string key(name);
    for (char& letter : key) {
      const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9') || letter == '_' || letter == '/';
      if (!plain) letter = '_';
    }
    return key;
  }

  rte_tel_data* data_;
};

inline rte_tel_data* new_array(rte_tel_value_type type) {
  rte_tel_data* const array = rte_tel_data_alloc();
  if (array == nullptr) throw std::bad_alloc();
  rte_tel_data_start_array(array, type);
  return array;
}

inline bool fail(rte_tel_data* data, const std::string& error) {
  Dict(data).add("error", error);
  return true;
}

inline void add_partitions(const LiveFigures& figures, Dict& dict) {
  rte_tel_data* const names = new_array(RTE_TEL_STRING_VAL);
  for (const FigureSource& source : figures.sources()) rte_tel_data_add_array_string(names, source.name.c_str());
  dict.add("partitions", names);
}

/// What was asked for, in quotes; who asks may be anybody, and DPDK cuts long texts off.
inline std::string named(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string plain(text.substr(0, kMost));
  for (char& letter : plain) {
    if (letter < ' ' || letter > '~' || letter == '"' || letter == '\\') letter = '?';
  }
  return fmt::format("'{}'", plain);
}

/// The answer to who asks for what is not there, with what is.
inline bool no_partition(const LiveFigures& figures, std::string_view name, rte_tel_data* data) {
  Dict dict(data);
  dict.add("error", name.empty() ? std::string("there are several partitions; name one behind the command and a comma")
                                 : fmt::format("there is no partition {}", named(name)));
  add_partitions(figures, dict);
  return true;
}

/// The number of the partition that `name` means.
inline std::optional<std::size_t> find_partition(const LiveFigures& figures, std::string_view name) {
  const auto& sources = figures.sources();
  if (name.empty()) return sources.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].name == name) return i;
  }
  return std::nullopt;
}

/// A table as columns of one length.
class Columns {
 public:
  void text(const char* name, const std::string& value) {
    rte_tel_data_add_array_string(column(name, RTE_TEL_STRING_VAL), value.c_str());
  }
  void number(const char* name, std::uint64_t value) {
    rte_tel_data_add_array_u64(column(name, RTE_TEL_U64_VAL), value);
  }
  void give_to(Dict& dict) {
    for (const auto& [name, array] : columns_) dict.add(name, array);
  }

 private:
  rte_tel_data* column(const char* name, rte_tel_value_type type) {
    for (const auto& [known, array] : columns_) {
      if (known == name) return array;
    }
    return columns_.emplace_back(name, new_array(type)).second;
  }

  std::vector<std::pair<std::string, rte_tel_data*>> columns_;
};

/// "PARTITION,FIRST", both may be left out: the partition's number and FIRST. None: `data` says what is wrong.
inline std::optional<std::pair<std::size_t, std::size_t>> find_rows(const LiveFigures& figures,
                                                                    std::string_view parameters, rte_tel_data* data) {
  const std::size_t comma = parameters.find(',');
  const auto number = find_partition(figures, parameters.substr(0, comma));
  if (!number) {
    no_partition(figures, parameters.substr(0, comma), data);
    return std::nullopt;
  }
  std::size_t first = 0;
  if (comma != std::string_view::npos) {
    const std::string_view digits = parameters.substr(comma + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), first);
    if (error != std::errc() || end != digits.data() + digits.size() || first > 65'535) {
      fail(data, fmt::format("{} is no number of a first row, from 0 to 65535", named(digits)));
      return std::nullopt;
    }
  }
  return std::pair(*number, first);
}

}  // namespace crosswire::telemetry
