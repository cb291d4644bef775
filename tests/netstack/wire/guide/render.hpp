// The guide as a page of docs and as tables of Lua, and the names by which tshark filters its fields.
#pragma once

#include <string>

#include "tests/netstack/wire/guide/guide.hpp"

namespace crosswire::wire::test {

/// Sections 1 to 7 of docs/messages.md.
std::string page();

/// The tables of scripts/crosswire.lua.
std::string lua();

std::string filter_name(const Chapter& chapter, const Field& field);
std::string filter_name(ouch::Tag tag);

}  // namespace crosswire::wire::test
