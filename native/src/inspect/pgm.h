#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drae {

/// A grey image of 8 bit.
struct GreyImage {
  std::size_t width;
  std::size_t height;
  std::vector<std::uint8_t> pixels;
};

/// Whether bytes begin as a netpbm file does, of any of its kinds.
bool is_pnm(std::string_view bytes);

/// Reads a binary PGM file, P5 with a greatest value of 255; `file` names it in errors.
GreyImage read_pgm(std::string_view bytes, const std::string& file);

}  // namespace drae
