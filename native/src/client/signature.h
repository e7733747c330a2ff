#pragma once

#include <cstddef>
#include <string>

namespace drae {

/// Names of the graph's tensors that the signature `inspect` takes and gives, such as `inspect_patches:0`.
struct Signature {
  std::string patches;
  std::string regions;  ///< empty where the model takes none
  std::string score;
  std::string heatmap;
};

/// Reads and checks the signature `inspect`.
///
/// Args:
///   meta_graph: a serialized MetaGraphDef of so many bytes.
///   patch_size: that the card promises.
///   place: the SavedModel, for errors.
Signature read_signature(const void* meta_graph, std::size_t bytes, std::size_t patch_size, const std::string& place);

}  // namespace drae
