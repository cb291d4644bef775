// Whether the files of one command get into each other's way: asked by each command before it writes any. Set-up only.
#pragma once

#include <string>
#include <vector>

namespace crosswire {

/// "" or one line: which of the files `written` would destroy one that is `read`, or which two of them are one file. By
/// whatever names: links and other spellings of a path are found, also of a file that is not there yet, and so is the
/// name that an output has until it is whole (WholeFile). What is there and is no regular file, such as /dev/null,
/// takes what many write. Empty names are none.
std::string file_clash(const std::vector<std::string>& read, const std::vector<std::string>& written);

}  // namespace crosswire
