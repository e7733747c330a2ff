#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "command_line.h"
#include "drae_client/inspector.h"

namespace drae {

/// Where a patch comes from.
struct Patch {
  std::string file;
  std::size_t place;   ///< in its file, from 0
  std::string region;  ///< empty where the model takes none
};

/// The patches of one call.
struct PatchBatch {
  std::vector<Patch> patches;
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> regions;  ///< their numbers; empty where the model takes none
};

/// Reads a list of patches: lines of regions, a tab and a file, or of a file alone; `-` is standard input.
std::vector<PatchGroup> read_list(const std::string& file);

/// Reads the patches of all groups in order, and gives each its region.
PatchBatch read_patches(const std::vector<PatchGroup>& groups, bool raw, const Inspector& inspector);

}  // namespace drae
