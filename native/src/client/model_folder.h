#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace drae {

/// What a model folder says of itself, without its SavedModel.
struct ModelFolder {
  std::filesystem::path saved_model;
  std::string digest;
  std::size_t patch_size;
  std::vector<std::string> regions;
};

/// Reads `model.json`, computes the digest and checks that the SavedModel is the one that the card names.
ModelFolder read_model_folder(const std::filesystem::path& folder);

}  // namespace drae
