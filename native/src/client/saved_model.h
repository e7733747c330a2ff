#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "drae_client/inspector.h"
#include "signature.h"
#include "tf_handles.h"

namespace drae {

/// A loaded SavedModel and its signature `inspect`.
class SavedModel {
 public:
  SavedModel(const std::string& folder, std::size_t patch_size, Threads threads);

  bool takes_regions() const { return !signature_.regions.empty(); }

  /// Runs the signature; what the scores are is not looked at.
  ///
  /// Args:
  ///   patches: uint8 [count, p, p, 1].
  ///   regions: int32 [count], or nothing where the model takes none.
  ///   with_heatmaps: else they are not computed.
  Examined run(const std::uint8_t* patches, std::size_t count, const std::int32_t* regions,
               bool with_heatmaps) const;

 private:
  TF_Output output(const std::string& tensor) const;

  std::string folder_;
  std::size_t patch_size_;
  GraphHandle graph_;
  // Declared after the graph, so that it goes first: a session uses its graph.
  SessionHandle session_;
  Signature signature_;
};

}  // namespace drae
