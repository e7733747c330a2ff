#include "heatmap_files.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "drae_client/error.h"
#include "png.h"

namespace drae {
namespace {

void write_file(const std::string& file, const std::string& bytes) {
  // x: a file that appeared meanwhile is not written over.
  std::FILE* const stream = std::fopen(file.c_str(), "wbx");
  bool written = stream != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  // What did not fit on the disk may show only now.
  written = (stream == nullptr || std::fclose(stream) == 0) && written;
  if (!written) {
    throw Error(file + ": cannot be written: " + std::strerror(errno));
  }
}

}  // namespace

std::vector<std::string> heatmap_files(const std::string& folder, std::size_t count) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    throw Error(folder + ": expected a folder for heatmaps, got: " + (error ? error.message() : "a file"));
  }
  std::vector<std::string> files;
  for (std::size_t number = 0; number < count; ++number) {
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
    files.push_back((std::filesystem::path(folder) / ("heatmap_" + digits + ".png")).string());
    if (std::filesystem::exists(files.back(), error)) {
      throw Error(files.back() + ": is there already; remove it, or name another folder for heatmaps");
    }
  }
  return files;
}

void write_heatmaps(const std::vector<std::string>& files, const std::vector<float>& heatmaps, std::size_t side) {
  const PngCodec png;
  GreyImage image{side, side, std::vector<std::uint8_t>(side * side)};
  auto values = heatmaps.begin();
  for (const std::string& file : files) {
    for (std::uint8_t& pixel : image.pixels) {
      pixel = static_cast<std::uint8_t>(std::lround(255 * std::clamp(*values++, 0.0F, 1.0F)));
    }
    write_file(file, png.write(image));
  }
}

}  // namespace drae
