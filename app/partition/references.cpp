// Reference prices from the day before: see the header.
#include "app/partition/references.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

namespace crosswire {

std::vector<ReferencePrice> last_prices(const Partition& partition) {
  std::vector<ReferencePrice> prices;
  const std::vector<SymbolConfig>& symbols = partition.config().engine.symbols;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    prices.push_back({symbols[i].name, partition.engine().last_price(SymbolId{static_cast<std::uint16_t>(i + 1)})});
  }
  return prices;
}

std::string set_references(Config& config, std::span<const ReferencePrice> references) {
  std::unordered_map<std::string_view, SymbolConfig*> symbols;
  if (references.empty()) return "";
  for (SymbolConfig& symbol : config.engine.symbols) symbols[{symbol.name.data(), symbol.name.size()}] = &symbol;
  for (const ReferencePrice& reference : references) {
    const std::string_view name(reference.symbol.data(), reference.symbol.size());
    const auto found = symbols.find(name);
    const bool known = found != symbols.end();
    if (!known || reference.price.value % found->second->tick_e4 != 0) {
      return fmt::format("symbol {} with a reference price of {}, which {}", name.substr(0, name.find(' ')),
                         reference.price.value,
                         known ? "is no multiple of its tick_e4 in " + config.path : config.path + " does not have");
    }
    found->second->reference = reference.price;
  }
  return "";
}

}  // namespace crosswire
