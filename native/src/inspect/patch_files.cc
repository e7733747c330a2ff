#include "patch_files.h"

#include "drae_client/error.h"
#include "json_file.h"
#include "pgm.h"

namespace drae {

PatchReader::PatchReader(std::size_t side, bool raw) : side_(side) {
  if (!raw) {
    png_.emplace();
  }
}

std::size_t PatchReader::append(const std::string& file, std::vector<std::uint8_t>& pixels) const {
  const std::string bytes = read_file(file, png_ ? "an image" : "pixels");
  if (!png_) {
    return append_raw(file, bytes, pixels);
  }
  // The content decides what a file is, not its name.
  GreyImage image{};
  if (is_png(bytes)) {
    image = png_->read(bytes, side_, file);
  } else if (is_pnm(bytes)) {
    image = read_pgm(bytes, file);
  } else {
    throw Error(file + ": expected a PNG or PGM image, got " + (bytes.empty() ? "an empty file" : "something else"));
  }
  if (image.width != side_ || image.height != side_) {
    throw Error(file + ": expected a patch of " + std::to_string(side_) + " x " + std::to_string(side_) + ", got " +
                std::to_string(image.width) + " x " + std::to_string(image.height));
  }
  pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
  return 1;
}

std::size_t PatchReader::append_raw(const std::string& file, const std::string& bytes,
                                    std::vector<std::uint8_t>& pixels) const {
  const std::size_t patch = side_ * side_;
  if (bytes.empty() || bytes.size() % patch != 0) {
    throw Error(file + ": expected a multiple of " + std::to_string(side_) + " x " + std::to_string(side_) + " = " +
                std::to_string(patch) + " bytes, got " + std::to_string(bytes.size()));
  }
  pixels.insert(pixels.end(), bytes.begin(), bytes.end());
  return bytes.size() / patch;
}

}  // namespace drae
