#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace drae {

/// Where the heatmaps of so many patches go; makes the folder, and throws where one of the files is there already.
std::vector<std::string> heatmap_files(const std::string& folder, std::size_t count);

/// Writes heatmaps as 8 bit grey PNG: 0 to 1 as 0 to 255, rounded.
void write_heatmaps(const std::vector<std::string>& files, const std::vector<float>& heatmaps, std::size_t side);

}  // namespace drae
