#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "png.h"

namespace drae {

/// Reads files of patches.
class PatchReader {
 public:
  /// Args: side: of a patch in pixels. raw: files hold pixels only, of one patch or more, instead of an image.
  PatchReader(std::size_t side, bool raw);

  /// Appends a file's patches to `pixels`; returns how many there are.
  std::size_t append(const std::string& file, std::vector<std::uint8_t>& pixels) const;

 private:
  std::size_t append_raw(const std::string& file, const std::string& bytes, std::vector<std::uint8_t>& pixels) const;

  std::size_t side_;
  std::optional<PngCodec> png_;
};

}  // namespace drae
