#pragma once

#include <string>
#include <string_view>

namespace drae {

/// A JSON string in quotes. Bytes that are no UTF-8 become U+FFFD: a name of a file may hold any, JSON may not.
std::string json_string(std::string_view text);

/// A finite number in the fewest digits that read back as this very double, whatever the locale.
std::string json_number(double number);

}  // namespace drae
